import { UsageError } from "../../command.js";

/** A path in a container. */
export interface ContainerPath {
  /** What the user calls the container. */
  readonly name: string;
  readonly path: string;
}

/**
 * Parses `NAME:PATH`. Anything else is a path of this machine, or `-`: what begins with `.`, `/` or a drive letter, or has no colon.
 */
export function parsePath(text: string): ContainerPath | string {
  if (text === "") throw new UsageError("a path must not be empty");
  if (/^[./\\]/.test(text) || /^[A-Za-z]:[\\/]/.test(text)) return text;
  const end = text.indexOf(":");
  if (end === -1) return text;
  const [name, path] = [text.slice(0, end), text.slice(end + 1)];
  if (name === "" || path === "") throw new UsageError(`must be CONTAINER:PATH, got ${text}`);
  return { name, path };
}
