import type { LogBytesEntry, LogEntry } from "../../logs/entry.js";

/** Whose line it is. */
export interface LogOwner {
  /** The container's name. */
  container: string;
  containerId: string;
  /** How many times the container had been started before. */
  attempt: number;
  podSandboxId: string;
}

/** A line of one of several logs, as text. */
export interface MergedLogEntry extends LogEntry, LogOwner {}

/** A line of one of several logs, as bytes. */
export interface MergedLogBytesEntry extends LogBytesEntry, LogOwner {}
