import { CreateContainerRequest } from "k8s-cri-client/proto";
import type { Competitor } from "./competitors.js";
import { sizes } from "./replies.js";
import type { Task } from "./task.js";

/** Checks that all clients decode and encode the same contents. Speed counts only if the contents are right. */
export async function verify(competitors: readonly Competitor[]): Promise<void> {
  const lists = (["ListContainers", "ListPodSandbox", "ListContainerStats"] as const).flatMap((method) =>
    sizes.map((n): Task => ({ kind: "contents", method, n })),
  );
  for (const task of [...lists, { kind: "decoded" }, { kind: "encoded" }] satisfies Task[]) {
    let expected: string | undefined;
    for (const competitor of competitors.filter((one) => one.can(task))) {
      const { contents = [] } = await competitor.perform(task);
      const found = task.kind === "encoded" ? contents.map(readable).join() : contents.join("\n");
      if (found.length < 100) throw new Error(`${competitor.name} returned nothing for ${JSON.stringify(task)}`);
      expected ??= found;
      if (found !== expected)
        throw new Error(`${competitor.name} returned different contents for ${JSON.stringify(task)}`);
    }
  }
}

/** Returns the same string for all encodings of a message, whatever their order of fields and map entries. */
function readable(base64: string): string {
  const message = CreateContainerRequest.toJSON(CreateContainerRequest.decode(Buffer.from(base64, "base64")));
  return JSON.stringify(message, (_, value) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
