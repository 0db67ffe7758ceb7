/**
 * Creates the folders that journeys share with containers below the only folder that the fakes' commands may write to.
 *
 * @module
 */
import { inject } from "vitest";

process.env.TMPDIR = inject("scratch");
