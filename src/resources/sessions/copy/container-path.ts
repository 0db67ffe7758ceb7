/**
 * Paths in containers. A container's system is known by the form of the path: only paths of Windows begin with a drive.
 *
 * @module
 */
import { InvalidInputError } from "../../../errors.js";
import type { ContainerSystem } from "./container-system.js";
import { posixSystem } from "./posix-system.js";
import { windowsSystem } from "./windows-system.js";

/** An absolute path in a container, and how to use it. */
export interface ContainerPath {
  system: ContainerSystem;
  /** The path in the normal form of its system. */
  path: string;
}

/** Checks and normalizes the path of a file or folder in a container. @throws InvalidInputError */
export function checkContainerPath(path: string): ContainerPath {
  const checked = checkContainerFolder(path, "containerPath");
  if (!checked.system.isRoot(checked.path)) return checked;
  throw refusal("containerPath", `must be an absolute path other than ${checked.path}`, path);
}

/** Checks and normalizes the path of a folder in a container, which may be a root. @throws InvalidInputError */
export function checkContainerFolder(path: string, field: string): ContainerPath {
  if (typeof path !== "string" || path.includes("\0")) throw refusal(field, "must be an absolute path", path);
  const system = /^(?:[a-z]:|\\)/i.test(path) ? windowsSystem : posixSystem;
  const normal = system.normalize(path);
  if (typeof normal === "string") return { system, path: normal };
  throw refusal(field, normal.fault, path);
}

/** Checks and normalizes the path of a file in a Linux container, for methods that need a POSIX shell. @throws InvalidInputError */
export function checkPosixPath(path: string): string {
  const { system, path: normal } = checkContainerPath(path);
  if (system === posixSystem) return normal;
  throw refusal("containerPath", "is a path of a Windows container; use copyTo or copyFrom, which support them", path);
}

function refusal(field: string, message: string, value: unknown): InvalidInputError {
  return new InvalidInputError({ field, message, value });
}
