/** The numbers of signals that end processes. */
const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGTERM: 15,
};

/** Returns the exit code of a process that a signal ended. */
export function exitCodeOf(signal: string): number {
  return 128 + (signalNumbers[signal] ?? 15);
}
