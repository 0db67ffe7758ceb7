/** How much the model test does, from the environment. */
import { thorough } from "../support/thorough.js";

/** Multiplies the number of sequences. */
const scale = positive("CRI_TEST_RUNS") ?? (thorough ? 25 : 1);

/** Sequences of commands for each flavour and lane. */
export const runsPerLane = Math.max(1, Math.round(8 * scale));

/** What a failure prints: the same commands again, one sequence at a time. */
export const replay = parseReplay(process.env.CRI_TEST_REPLAY);

/**
 * The seeds, one for each lane of a flavour. The first one is always the same in the normal run: whoever sees it fail has
 * changed the code. The others are new in every run, and reported: they find what nobody has thought of yet. A thorough run is
 * there to search, so all of its seeds are new.
 */
export const seeds: readonly number[] = replay
  ? [replay.seed]
  : process.env.CRI_TEST_SEED !== undefined
    ? process.env.CRI_TEST_SEED.split(",").map(Number)
    : [thorough ? randomSeed() : 20_261, randomSeed()];

/** With one lane in the process every single sequence can be held to leave nothing behind; with more only all of them can. */
export const alone = replay !== undefined;

/** How often a failure is tried to be made smaller: each try takes about a second. */
export const mostShrinks = Number(process.env.CRI_TEST_SHRINKS ?? 150);

function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

function positive(name: string): number | undefined {
  const value = Number(process.env[name] ?? "");
  return value > 0 ? value : undefined;
}

/** `flavor seed path replayPath`, as a failure prints it. */
function parseReplay(text: string | undefined) {
  if (!text) return undefined;
  const [flavor, seed, path, replayPath] = text.split(" ");
  return { flavor, seed: Number(seed), path: path || "0", replayPath: replayPath ?? "" };
}
