import { CreateContainerRequest } from "k8s-cri-client/proto";
import type { Competitor } from "./competitors.js";
import { sizes } from "./replies.js";
import type { Task } from "./task.js";

/** Speed counts only if the contents are right: everyone who decodes and encodes has to come to the same. */
export async function verify(competitors: readonly Competitor[]): Promise<void> {
  const lists = (["ListContainers", "ListPodSandbox", "ListContainerStats"] as const).flatMap((method) =>
    sizes.map((n): Task => ({ kind: "contents", method, n })),
  );
  for (const task of [...lists, { kind: "decoded" }, { kind: "encoded" }] satisfies Task[]) {
    let expected: string | undefined;
    for (const competitor of competitors.filter((one) => one.can(task))) {
      const { contents = [] } = await competitor.perform(task);
      const found = task.kind === "encoded" ? contents.map(readable).join() : contents.join("\n");
      if (found.length < 100) throw new Error(`${competitor.name} comes to nothing with ${JSON.stringify(task)}.`);
      expected ??= found;
      if (found !== expected)
        throw new Error(`${competitor.name} comes to something else with ${JSON.stringify(task)}.`);
    }
  }
}

/** The same for all encodings of a message, whatever the order of fields and map entries. */
function readable(base64: string): string {
  const message = CreateContainerRequest.toJSON(CreateContainerRequest.decode(Buffer.from(base64, "base64")));
  return JSON.stringify(message, (_, value) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
