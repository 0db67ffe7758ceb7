/**
 * What journeys share with containers lies where the commands of fakes may write.
 *
 * @module
 */
import { inject } from "vitest";

process.env.TMPDIR = inject("scratch");
