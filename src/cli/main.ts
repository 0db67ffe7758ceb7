#!/usr/bin/env node
/**
 * The `k8s-cri-client` command: the package on a terminal.
 *
 * @module
 */
import { runProgram } from "./program.js";
import { processTerminal } from "./terminal.js";

void runProgram(process.argv.slice(2), processTerminal()).then((exitCode) => {
  process.exitCode = exitCode;
  // A read of a terminal or pipe that has not ended would keep the process alive.
  process.stdin.unref?.();
});
