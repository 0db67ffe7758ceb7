import type { CommandModule } from "../command.js";
import { ExitError } from "../command.js";
import { forEachSelected } from "../for-each-selected.js";

/** `rmi`: removes images. */
export const rmi: CommandModule = {
  define(command) {
    command.argument("<IMAGE...>", "images: tags, digests, or ids");
    command.addHelpText(
      "after",
      `
Removes an image with all its tags. To remove all images that no container uses: prune images.

Example:
  k8s-cri-client rmi busybox:1.36`,
    );
  },

  async run(invocation, names) {
    const cri = await invocation.connect();
    const selected = names.map((name) => ({ name }));
    return forEachSelected(invocation, selected, async ({ name }) => {
      if (!(await cri.images.exists(name))) throw new ExitError("there is no such image on this node", 1);
      await cri.images.remove(name);
    });
  },
};
