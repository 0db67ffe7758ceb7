import type { LogBytesEntry, LogEntry } from "../../logs/entry.js";

/** The container that wrote a line. */
export interface LogOwner {
  /** The container's name. */
  container: string;
  containerId: string;
  /** The attempt number: how many containers with this name were created in the pod before. */
  attempt: number;
  podSandboxId: string;
}

/** A line of one of several logs, as a string. */
export interface MergedLogEntry extends LogEntry, LogOwner {}

/** A line of one of several logs, as bytes. */
export interface MergedLogBytesEntry extends LogBytesEntry, LogOwner {}
