import type { OwnedContainer } from "k8s-cri-client";
import { folder } from "./folder.js";
import type { ContainerSpec, Fixture } from "./journeys.js";

/** A container, a folder that it shares with the node, and another folder of the node. */
export interface ContainerWithFolder extends AsyncDisposable {
  container: OwnedContainer;
  /** The folder that only the node has. */
  here: string;
  /** The shared folder. It has the same path on the node and in the container. */
  there: string;
}

/** Runs a container for a journey that copies. Disposing of it removes the container and both folders. */
export async function containerWithFolder(
  fixture: Fixture,
  spec: (there: string) => Partial<ContainerSpec> = () => ({}),
): Promise<ContainerWithFolder> {
  const made = await folder();
  const shared = await folder();
  const there = shared.path;
  const removeFolders = () => Promise.all([made[Symbol.asyncDispose](), shared[Symbol.asyncDispose]()]);
  try {
    const container = await fixture.container(await fixture.sharedPod(), { mounts: [shared.mount], ...spec(there) });
    return {
      container,
      here: made.path,
      there,
      [Symbol.asyncDispose]: async () => {
        await container[Symbol.asyncDispose]();
        await removeFolders();
      },
    };
  } catch (error) {
    await removeFolders();
    throw error;
  }
}

/** Options for a container whose `tar` a test replaces with a program in `bin` of the shared folder. */
export const replaceableTar = (there: string): Partial<ContainerSpec> => ({
  env: { PATH: `${there}/bin:/usr/bin:/bin` },
});
