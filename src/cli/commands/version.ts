import { packageVersion } from "../../internal/package-version.js";
import type { CommandModule } from "../command.js";
import { addObjectOption, properties, structured } from "../output/format.js";

/** `version`: prints the versions of this package, of Node.js, and of the runtime. */
export const version: CommandModule<{ output: "table" | "json" | "yaml"; client?: boolean }> = {
  define(command) {
    command.option("--client", "print the versions of this machine only, without connecting");
    addObjectOption(command);
  },

  async run(invocation, _, { output, client }) {
    const ours = { clientVersion: packageVersion, nodeVersion: process.version };
    const cri = client ? undefined : await invocation.connect();
    const runtime = await cri?.version();
    if (output !== "table") return invocation.print(await structured({ ...ours, ...runtime }, output));
    await invocation.print(
      properties({
        "k8s-cri-client": ours.clientVersion,
        "Node.js": ours.nodeVersion,
        Endpoint: cri?.endpoint,
        Runtime: runtime && `${runtime.runtimeName} ${runtime.runtimeVersion}`,
        CRI: runtime?.runtimeApiVersion,
      }),
    );
  },
};
