/** This package, something to use instead, or what no client is: a limit, or a measure to compare with. */
export type Role = "ours" | "peer" | "yardstick";

/** One of those that are measured against each other. */
export interface Contestant<Result> {
  name: string;
  role?: Role;
  run(): Promise<Result>;
}

/** What a contestant achieved, and what kept it from achieving more. */
export interface Score<Result> {
  name: string;
  role: Role;
  results: Result[];
  failures: unknown[];
}

/**
 * Lets all of them run in every round, so that a machine that is slower for a while is so for all. Each round begins with another
 * one. One that fails twice is left out of the rounds that remain.
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
