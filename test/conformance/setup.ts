/**
 * Puts the folders that journeys share with containers where the fakes' commands may write.
 *
 * @module
 */
import { inject } from "vitest";

process.env.TMPDIR = inject("scratch");
