/**
 * What is loaded, each time by a process that has loaded nothing else.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { node, proto, protobufEs } from "../support/build.js";
import type { Role } from "../support/interleave.js";

export interface Subject {
  name: string;
  role: Role;
  how: "import" | "require";
  /** Modules, in the order in which they are loaded. */
  what: string[];
  /** A schema that is read afterwards. */
  proto?: string;
}

/** What it took. */
export interface Cost {
  wallMs: number;
  cpuMs: number;
  rssBytes: number;
}

const ours = ["k8s-cri-client"];

export const subjects: Subject[] = [
  { name: "k8s-cri-client, import", role: "ours", how: "import", what: ours },
  { name: "k8s-cri-client, require", role: "ours", how: "require", what: ours },
  // The proto entry is what ts-proto has generated, and nothing else.
  { name: "nice-grpc, ts-proto", role: "peer", how: "import", what: ["nice-grpc", "k8s-cri-client/proto"] },
  {
    name: "grpc-js, proto-loader",
    role: "peer",
    how: "import",
    what: ["@grpc/grpc-js", "@grpc/proto-loader"],
    proto,
  },
  {
    name: "Connect, protobuf-es",
    role: "peer",
    how: "import",
    what: ["@connectrpc/connect", "@connectrpc/connect-node", "@bufbuild/protobuf", protobufEs],
  },
  { name: "nice-grpc, no messages", role: "yardstick", how: "import", what: ["nice-grpc"] },
  { name: "an empty module", role: "yardstick", how: "import", what: ["data:text/javascript,"] },
];

const probe = fileURLToPath(new URL("probe.mjs", import.meta.url));

export const measure = async (subject: Subject) => (await ask("measure", subject)) as Cost;

/** The files that loading it has loaded, as paths or URLs. */
export const filesOf = async (subject: Subject) => (await ask("files", subject)) as string[];

async function ask(mode: "measure" | "files", { how, what, proto }: Subject): Promise<unknown> {
  return JSON.parse(await node([probe, mode, JSON.stringify({ how, what, proto })]));
}
