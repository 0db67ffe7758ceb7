export type Level = "info" | "warning" | "error";

/** Writes one line of JSON. */
export type Log = (level: Level, message: string, fields?: Record<string, unknown>) => void;

export function createLog(write: (line: string) => void, common: Record<string, unknown> = {}): Log {
  return (level, message, fields = {}) => {
    const entry = { time: new Date().toISOString(), level, message, ...common, ...fields };
    write(`${JSON.stringify(entry, (_key, value) => (value instanceof Error ? value.message : value))}\n`);
  };
}
