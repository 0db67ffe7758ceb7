import type { OwnedContainer } from "k8s-cri-client";
import { folder } from "./folder.js";
import type { ContainerSpec, Fixture } from "./journeys.js";

/** A container, a folder that it shares with the node, and another folder of the node. */
export interface ContainerWithFolder extends AsyncDisposable {
  container: OwnedContainer;
  /** Path of the folder that only the node has. */
  local: string;
  /** Path of the shared folder, which is the same on the node and in the container. */
  shared: string;
}

/** Runs a container for a journey that copies files. Disposing of the result removes the container and both folders. */
export async function containerWithFolder(
  fixture: Fixture,
  spec: (shared: string) => Partial<ContainerSpec> = () => ({}),
): Promise<ContainerWithFolder> {
  const localFolder = await folder();
  const sharedFolder = await folder();
  const shared = sharedFolder.path;
  const removeFolders = () => Promise.all([localFolder[Symbol.asyncDispose](), sharedFolder[Symbol.asyncDispose]()]);
  try {
    const container = await fixture.container(await fixture.sharedPod(), {
      mounts: [sharedFolder.mount],
      ...spec(shared),
    });
    return {
      container,
      local: localFolder.path,
      shared,
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

/** Returns options for a container whose `tar` a test replaces with a program in `bin` of the shared folder. */
export const replaceableTar = (shared: string): Partial<ContainerSpec> => ({
  env: { PATH: `${shared}/bin:/usr/bin:/bin` },
});
