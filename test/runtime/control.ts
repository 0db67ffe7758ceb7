/**
 * Starting, stopping and killing the lab's runtimes from tests: the runtimes belong to the setup process, and tests run in others.
 *
 * @module
 */
import { createServer, request, type Server } from "node:http";
import type { LabInstance } from "./lab/lab.js";

const actions = {
  start: (instance: LabInstance) => instance.start(),
  stop: (instance: LabInstance) => instance.stop(),
  kill: (instance: LabInstance) => instance.kill("SIGKILL"),
  restart: (instance: LabInstance) => instance.restart(),
};

export type ControlAction = keyof typeof actions;

/** Listens for orders such as `POST /kill/containerd-1.7`; the reply comes when the order has been carried out. */
export function serveControl(socket: string, instances: readonly LabInstance[]): Promise<Server> {
  const server = createServer((incoming, reply) => {
    const [, action = "", name = ""] = incoming.url?.split("/") ?? [];
    const instance = instances.find((candidate) => candidate.name === name);
    const act = Object.hasOwn(actions, action) ? actions[action as ControlAction] : undefined;
    if (instance === undefined || act === undefined) {
      reply.writeHead(404).end(`There is no ${action} for ${name}.`);
      return;
    }
    act(instance).then(
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
