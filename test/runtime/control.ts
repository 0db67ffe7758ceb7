/**
 * Lets tests start, stop and kill the runtimes, which belong to the setup process.
 *
 * @module
 */
import { createServer, request, type Server } from "node:http";

/** Actions on a runtime. `freeze` and `thaw` are for fakes; tests stop the process of a real runtime themselves. */
const actions = ["start", "stop", "kill", "restart", "freeze", "thaw"] as const;

export type ControlAction = (typeof actions)[number];

/** A runtime and the actions that it supports. */
export type ControlledRuntime = { readonly name: string } & {
  readonly [action in ControlAction]?: () => Promise<void>;
};

/** Serves requests such as `POST /kill/containerd-1.7`. It replies when the action is complete. */
export function serveControl(socket: string, instances: readonly ControlledRuntime[]): Promise<Server> {
  const server = createServer((incoming, reply) => {
    const [, action = "", name = ""] = incoming.url?.split("/") ?? [];
    const instance = instances.find((candidate) => candidate.name === name);
    const act = instance?.[actions.find((known) => known === action)!];
    if (act === undefined) {
      reply.writeHead(404).end(`${name} does not support the action ${action}`);
      return;
    }
    act().then(
      () => reply.writeHead(204).end(),
      (error: unknown) => reply.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, () => resolve(server));
  });
}

/** Sends an action to the setup process, and resolves when the action is complete. */
export function control(socketPath: string, action: ControlAction, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: "POST", path: `/${action}/${name}` }, (reply) => {
      let body = "";
      reply.setEncoding("utf8");
      reply.on("data", (chunk: string) => {
        body += chunk;
      });
      reply.on("end", () => (reply.statusCode === 204 ? resolve() : reject(new Error(body))));
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}
