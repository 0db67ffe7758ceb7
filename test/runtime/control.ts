/**
 * Starting, stopping and killing the runtimes from tests: the runtimes belong to another process than the one that tests run in.
 *
 * @module
 */
import { createServer, request, type Server } from "node:http";

/** What can be done to a runtime. Only fakes freeze and thaw by order; of a real one the process is stopped. */
const actions = ["start", "stop", "kill", "restart", "freeze", "thaw"] as const;

export type ControlAction = (typeof actions)[number];

/** A runtime that takes orders. */
export type ControlledRuntime = { readonly name: string } & {
  readonly [action in ControlAction]?: () => Promise<void>;
};

/** Listens for orders such as `POST /kill/containerd-1.7`; the reply comes when the order has been carried out. */
export function serveControl(socket: string, instances: readonly ControlledRuntime[]): Promise<Server> {
  const server = createServer((incoming, reply) => {
    const [, action = "", name = ""] = incoming.url?.split("/") ?? [];
    const instance = instances.find((candidate) => candidate.name === name);
    const act = instance?.[actions.find((known) => known === action)!];
    if (act === undefined) {
      reply.writeHead(404).end(`There is no ${action} for ${name}.`);
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

/** Gives an order to the setup process and resolves when it has been carried out. */
export function control(socketPath: string, action: ControlAction, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: "POST", path: `/${action}/${name}` }, (reply) => {
      let complaint = "";
      reply.setEncoding("utf8");
      reply.on("data", (chunk: string) => {
        complaint += chunk;
      });
      reply.on("end", () => (reply.statusCode === 204 ? resolve() : reject(new Error(complaint))));
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}
