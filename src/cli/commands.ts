import type { CommandModule } from "./command.js";

/** What the list of commands shows of a command, and how to load it. */
export interface CommandEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly group: "Look" | "Run" | "Use" | "Clean up" | "Help";
  load(): Promise<CommandModule<never>>;
}

/** The commands in the order in which help lists them. */
export const commands: readonly CommandEntry[] = [
  {
    name: "ps",
    summary: "list containers",
    group: "Look",
    load: async () => (await import("./commands/ps.js")).ps,
  },
];
