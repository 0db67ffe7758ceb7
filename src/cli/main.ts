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
});
