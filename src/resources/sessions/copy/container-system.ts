import type { ClientContext } from "../../context.js";
import type { CopyOptions, FoundPath } from "./container-commands.js";

/** Where a copy is unpacked. */
export interface Placement {
  /** The folder that the archive is unpacked into. */
  folder: string;
  /** The name of the copied file or folder in the archive. */
  name: string;
  /** Whether the folder must be created if nothing is at the target. Otherwise `tar` creates what is missing. */
  needsFolder: boolean;
}

/** How the operating system of a container names files, and which commands find, send and receive them. */
export interface ContainerSystem {
  /** Returns the normal form of an absolute path: without `.`, `..` and separators at its end. Or returns why it is refused. */
  normalize(path: string): string | { fault: string };
  isRoot(path: string): boolean;
  /** Returns whether a path ends with a separator, which means a folder. */
  endsWithSeparator(path: string): boolean;
  /** Appends a name to the path of a folder. */
  join(folder: string, name: string): string;
  /** Returns the last name of a path. */
  basename(path: string): string;
  /** Finds what is at a path. Follows links. */
  find(context: ClientContext, containerId: string, path: string, options: CopyOptions): Promise<FoundPath>;
  /** Returns the command that sends an archive of a file, or of the content of a folder. It follows a link at the path itself. */
  sendCommand(path: string, kind: "folder" | "other"): string[];
  /**
   * Returns the command that unpacks an archive into a folder.
   *
   * @param isTrusted whether this package has made the archive, so that no entry leads out of the folder
   */
  receiveCommand(folder: string, isTrusted: boolean): string[];
  /** Returns the command that removes a file or folder with its content. Absent if the system has no program for it. */
  removeCommand?(path: string): string[];
  /** Returns where a copy with this target is unpacked. */
  place(target: string, isFolder: boolean): Placement;
  /** Returns why a file of this machine cannot have the same name in the container. */
  nameFault(name: string): string | undefined;
}
