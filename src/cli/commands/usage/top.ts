import { Option } from "commander";
import type { UsageSnapshot } from "../../../index.js";
import { type CommandModule, type Invocation, UsageError } from "../../command.js";
import { table } from "../../output/table.js";
import { addSelectOptions, namesHelp } from "../../select.js";
import { duration, labels } from "../../values.js";
import { narrowColumns, orders, type SortKey, sorted } from "./columns.js";
import { type SelectedUsage, selectUsage, type UsageSelection } from "./selection.js";
import { frame } from "./top-frame.js";
import { TopScreen } from "./top-screen.js";

interface TopOptions extends UsageSelection {
  sort: SortKey;
  interval?: number;
  once?: boolean;
}

/** `top`: shows the busiest containers until it is ended, or prints one table if the output is no terminal. */
export const top: CommandModule<TopOptions> = {
  define(command) {
    command
      .argument("[NAME...]", "containers, or pods with all their containers")
      .option("-l, --label <selector>", "only pods with these labels, such as app=shop,tier=web", labels)
      .addOption(new Option("-s, --sort <key>", "what to sort by").choices(Object.keys(orders)).default("cpu"))
      .option(
        "-d, --interval <duration>",
        "the time between two measurements (default: 2s, and 1s with --once)",
        duration,
      )
      .option("--once", "print one table, as without a terminal");
    addSelectOptions(command);
    command.addHelpText("after", help);
  },

  async run(invocation, names, options) {
    const { stdout, env } = invocation.terminal;
    const isLive = stdout.isTTY === true && env.TERM !== "dumb" && !options.once;
    const { interval = isLive ? 2_000 : 1_000 } = options;
    if (interval === 0) throw new UsageError("--interval must be longer than 0");
    const cri = await invocation.connect();
    const selected = await selectUsage(cri, names, options);
    if (isLive) return showLive(invocation, selected, interval, options.sort);
    let count = 0;
    for await (const snapshot of cri.stats.watch({ ...selected.filter, intervalMs: interval })) {
      // Rates need two snapshots.
      if (++count === 1) continue;
      return invocation.print(table(sorted(selected.containers(snapshot), options.sort), narrowColumns));
    }
  },
};

/** The keys that choose an order. */
const keys: Readonly<Record<string, SortKey>> = { c: "cpu", m: "memory", n: "name", p: "pod" };

async function showLive(
  invocation: Invocation,
  selected: SelectedUsage,
  intervalMs: number,
  firstOrder: SortKey,
): Promise<void> {
  const { terminal, styles } = invocation;
  const cri = await invocation.connect();
  let order = firstOrder;
  let latest: UsageSnapshot | undefined;
  let failure: string | undefined;
  const draw = () => {
    const { columns = 80, rows = 24 } = terminal.stdout;
    const content = { latest, failure, order, containers: latest ? sorted(selected.containers(latest), order) : [] };
    screen.draw(frame(content, { columns, rows, styles }));
  };
  const quit = new AbortController();
  const screen = new TopScreen(terminal, {
    onKey: (key) => {
      if (key === "q" || key === "Q" || key === "\x03" || key === "\x1b") return quit.abort();
      order = keys[key.toLowerCase()] ?? order;
      draw();
    },
    onResize: draw,
  });
  try {
    draw();
    const onMissed = ({ message }: Error) => {
      failure = message;
      draw();
    };
    const usage = cri.stats.watch({ ...selected.filter, intervalMs, onMissed });
    quit.signal.addEventListener("abort", () => void usage.close());
    for await (latest of usage) {
      failure = undefined;
      draw();
    }
  } finally {
    await screen.close();
  }
}

const help = `${namesHelp}

Keys: q or Ctrl-C quits; c, m, n, p sort by CPU, memory, name, pod. The CPU is percent of one core.

Examples:
  k8s-cri-client top
  k8s-cri-client top -l app=shop --sort memory
  k8s-cri-client top --once | head`;
