import type { ContainerUsage, PodUsage } from "../../../index.js";
import { shortId, size } from "../../output/cells.js";
import type { Column } from "../../output/table.js";

const unknown = "-";

/** A percentage of one core, as in `top`. */
const percent = (value: number | undefined) => (value === undefined ? unknown : value.toFixed(1));

const bytes = (value: number | undefined) => (value === undefined ? unknown : size(value));

const nameOf = (pod: { namespace: string; name: string } | undefined) =>
  pod === undefined ? unknown : `${pod.namespace}/${pod.name}`;

/** The columns of the resource usage of containers. */
export function containerColumns(trunc: boolean): Column<ContainerUsage>[] {
  return [
    { title: "CONTAINER", cell: ({ id }) => shortId(id, trunc) },
    { title: "NAME", cell: ({ name }) => name },
    { title: "CPU %", cell: ({ cpu }) => percent(cpu?.percent) },
    { title: "MEM", cell: ({ memory }) => bytes(memory?.workingSetBytes) },
    { title: "LIMIT", cell: ({ memory }) => bytes(memory?.limitBytes) },
    { title: "DISK", cell: ({ filesystem }) => bytes(filesystem?.usedBytes) },
    { title: "INODES", cell: ({ filesystem }) => String(filesystem?.inodesUsed ?? unknown), wide: true },
    { title: "SWAP", cell: ({ swap }) => bytes(swap?.usedBytes), wide: true },
    { title: "IMAGE", cell: ({ image }) => image?.reference ?? image?.id ?? unknown, wide: true },
    { title: "POD", cell: ({ pod }) => nameOf(pod) },
  ];
}

/** The columns that `top` shows. */
export const narrowColumns = containerColumns(true).filter(({ wide }) => !wide);

/** The columns of the resource usage of pods. */
export function podColumns(trunc: boolean): Column<PodUsage>[] {
  return [
    { title: "POD ID", cell: ({ id }) => shortId(id, trunc) },
    { title: "POD", cell: nameOf },
    { title: "CPU %", cell: ({ cpu }) => percent(cpu?.percent) },
    { title: "MEM", cell: ({ memory }) => bytes(memory?.workingSetBytes) },
    { title: "CONTAINERS", cell: ({ containers }) => String(containers.length) },
    { title: "PROCESSES", cell: ({ processCount }) => String(processCount ?? unknown) },
    { title: "RX/S", cell: ({ network }) => bytes(network?.[0]?.rxBytesPerSecond), wide: true },
    { title: "TX/S", cell: ({ network }) => bytes(network?.[0]?.txBytesPerSecond), wide: true },
  ];
}

/** What containers can be sorted by. Numbers come first where they are greatest. */
export const orders = {
  cpu: (a, b) => (b.cpu?.percent ?? -1) - (a.cpu?.percent ?? -1),
  memory: (a, b) => (b.memory?.workingSetBytes ?? -1) - (a.memory?.workingSetBytes ?? -1),
  name: (a, b) => a.name.localeCompare(b.name),
  pod: (a, b) => nameOf(a.pod).localeCompare(nameOf(b.pod)),
} satisfies Record<string, (a: ContainerUsage, b: ContainerUsage) => number>;

export type SortKey = keyof typeof orders;

/** Sorts containers. Those that are equal stay in a fixed order, so that lines do not jump. */
export function sorted(containers: readonly ContainerUsage[], key: SortKey): ContainerUsage[] {
  return [...containers].sort((a, b) => orders[key](a, b) || (a.id < b.id ? -1 : 1));
}
