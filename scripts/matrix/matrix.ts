/** All cells. */
import type { Group } from "./cell.js";
import { bundlerGroup } from "./groups/bundlers.js";
import { frameworkGroup } from "./groups/frameworks.js";
import { runtimeGroup } from "./groups/runtimes.js";
import { testRunnerGroup } from "./groups/test-runners.js";
import { typescriptGroup } from "./groups/typescript.js";

export const groups: readonly Group[] = [runtimeGroup, typescriptGroup, bundlerGroup, frameworkGroup, testRunnerGroup];
