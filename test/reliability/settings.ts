/** The size of the model test, from environment variables. Each flavour runs one test for each seed, called a lane. */
import { thorough } from "../support/thorough.js";

/** Factor for the number of sequences, from `CRI_TEST_RUNS`. */
const scale = positive("CRI_TEST_RUNS") ?? (thorough ? 25 : 1);

/** Number of sequences for each flavour and lane. */
export const runsPerLane = Math.max(1, Math.round(8 * scale));

/** The sequence to replay, as a failure prints it, from `CRI_TEST_REPLAY`. */
export const replay = parseReplay(process.env.CRI_TEST_REPLAY);

/**
 * The seed of each lane. In a normal run, the first seed is fixed, so that its failures come from changed code. The second is
 * random and printed, to find new failures. In a thorough run, both are random.
 */
export const seeds: readonly number[] = replay
  ? [replay.seed]
  : process.env.CRI_TEST_SEED !== undefined
    ? process.env.CRI_TEST_SEED.split(",").map(Number)
    : [thorough ? randomSeed() : 20_261, randomSeed()];

/** Whether only one lane runs. Each sequence can then be checked for leaks. Several lanes are checked together at the end. */
export const isSingleLane = replay !== undefined;

/** Number of attempts to shrink a failure, from `CRI_TEST_SHRINKS`. Each takes about one second. */
export const maxShrinks = Number(process.env.CRI_TEST_SHRINKS ?? 150);

function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

function positive(name: string): number | undefined {
  const value = Number(process.env[name] ?? "");
  return value > 0 ? value : undefined;
}

/** Parses `flavor seed path replayPath`, as a failure prints it. */
function parseReplay(text: string | undefined) {
  if (!text) return undefined;
  const [flavor, seed, path, replayPath] = text.split(" ");
  return { flavor, seed: Number(seed), path: path || "0", replayPath: replayPath ?? "" };
}
