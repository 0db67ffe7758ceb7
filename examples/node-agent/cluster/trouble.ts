/** Describes a warning or an error of a log, without the addresses that make each one different. */
export function troubleOf(message: string | undefined, error: string | undefined): string {
  return `${message}: ${error}`.replace(/https:\S+/g, "…").replace(/\d+(\.\d+){3}:\d+/g, "…");
}
