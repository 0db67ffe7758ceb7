/** This package, an alternative to it, or a baseline: no client, but a limit or reference to compare with. */
export type Role = "ours" | "peer" | "baseline";

/** One of the things that are measured against each other. */
export interface Contestant<Result> {
  name: string;
  role?: Role;
  run(): Promise<Result>;
}

/** The results and failures of one contestant. */
export interface Score<Result> {
  name: string;
  role: Role;
  results: Result[];
  failures: unknown[];
}

/**
 * Runs all contestants in every round, so that a machine that is slow for a while affects all of them. Each round starts with a
 * different contestant. One that fails twice is left out of the remaining rounds.
 */
export async function interleave<Result>(
  contestants: readonly Contestant<Result>[],
  rounds: number,
): Promise<Score<Result>[]> {
  const scores = contestants.map(
    ({ name, role = "peer" }): Score<Result> => ({ name, role, results: [], failures: [] }),
  );
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (round + turn) % contestants.length;
      const [contestant, score] = [contestants[index], scores[index]];
      if (!contestant || !score || score.failures.length > 1) continue;
      try {
        score.results.push(await contestant.run());
      } catch (error) {
        score.failures.push(error);
      }
    }
  }
  return scores;
}
