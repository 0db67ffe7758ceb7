/**
 * The runtime that all clients call, in its own process, and the inputs of their tasks.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildGo } from "../../test/runtime/lab/go.js";
import { proto } from "../support/build.js";
import { type CleanUpStep, cleanUp } from "../support/clean-up.js";
import { criClientPackages } from "../support/cri-client.js";
import { buildPrograms, generated, programs } from "./build.js";
import type { Place } from "./peers/peer.js";
import { decodedSize, writeReplies } from "./replies.js";
import { createContainerRequest } from "./request.js";

export class Stage implements AsyncDisposable {
  private constructor(
    readonly place: Place,
    /** The program of the Go client, if it could be built. */
    readonly goClient: string | undefined,
    /** Caveats for readers of the figures. */
    readonly warnings: readonly string[],
    private readonly cleanUps: CleanUpStep[],
  ) {}

  static async open({ go }: { go: boolean }): Promise<Stage> {
    const cleanUps: CleanUpStep[] = [];
    try {
      await buildPrograms();
      const folder = await mkdtemp(join(tmpdir(), "bench-calls-"));
      cleanUps.push(() => rm(folder, { recursive: true, force: true }));
      await writeReplies(folder);
      const requestJson = join(folder, "request.json");
      await writeFile(requestJson, JSON.stringify(createContainerRequest()));
      const goPrograms = go ? await buildGoPrograms() : "left out by --no-go";
      const warnings: string[] = [];
      if (typeof goPrograms === "string") {
        warnings.push(
          `WITHOUT GO (${goPrograms}): no comparison with cri-client, and THE SERVER RUNS ON NODE.JS, which is slower.`,
        );
        cleanUps.push(await serve(process.execPath, [programs.nodeServer, folder]));
      } else cleanUps.push(await serve(goPrograms.server, [folder]));
      const place = {
        socket: join(folder, "cri.sock"),
        echo: join(folder, "echo.sock"),
        reply: join(folder, `ListContainers.${decodedSize}`),
        replyJson: join(folder, "reply.json"),
        requestJson,
        proto,
        ...generated,
      };
      return new Stage(place, typeof goPrograms === "string" ? undefined : goPrograms.client, warnings, cleanUps);
    } catch (error) {
      await cleanUp(cleanUps);
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return cleanUp(this.cleanUps);
  }
}

async function buildGoPrograms(): Promise<{ server: string; client: string } | string> {
  const source = (name: string) => fileURLToPath(new URL(`${name}/main.go`, import.meta.url));
  try {
    const server = await buildGo(source("go-server"), criClientPackages);
    return { server, client: await buildGo(source("go-client"), criClientPackages) };
  } catch (error) {
    return `cannot be built: ${(error as Error).message}`;
  }
}

/** Starts a server, which prints a line when it is ready and exits when its input ends. */
async function serve(program: string, args: string[]): Promise<CleanUpStep> {
  const server = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(server, "exit");
  const ready = once(createInterface({ input: server.stdout }), "line");
  await Promise.race([ready, exit.then(([code]) => Promise.reject(new Error(`the server exited with ${code}`)))]);
  return async () => {
    server.stdin.end();
    await exit;
  };
}
