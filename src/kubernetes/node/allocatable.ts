import { invalid } from "../../input/check.js";
import { fieldPath } from "../../internal/field-names.js";
import { wholeUnits } from "../../specs/quantity.js";
import type { QuantityManifest, ResourceList } from "../manifest/container.js";
import { type Amounts, amountsOf, sum } from "../planning/amounts.js";

/** What a node keeps for itself, in the words of a kubelet's configuration. */
export interface NodeReservations {
  /** For Kubernetes' own processes. */
  kubeReserved?: ResourceList | undefined;
  /** For other processes of the machine. */
  systemReserved?: ResourceList | undefined;
  /**
   * How much must stay free, by signal: a quantity or a percentage. Only `memory.available` and `nodefs.available` count. Nothing is
   * evicted. @defaultValue a kubelet's: `{ "memory.available": "100Mi", "nodefs.available": "10%" }`
   */
  evictionHard?: Readonly<Record<string, string>> | undefined;
}

const defaultEvictionHard: Readonly<Record<string, string>> = {
  "memory.available": "100Mi",
  "nodefs.available": "10%",
};

/** The signals of eviction, by the resource that has to stay free. */
const signals: Readonly<Record<string, string>> = {
  memory: "memory.available",
  "ephemeral-storage": "nodefs.available",
};

/** Returns what pods can use of a node: its capacity without reservations, and its memory without huge pages. */
export function allocatableOf(capacity: ResourceList, reservations: NodeReservations): ResourceList {
  const { kubeReserved, systemReserved, evictionHard = defaultEvictionHard } = reservations;
  const reserved = reservedOf({ kubeReserved, systemReserved });
  const totals = amountsOf(capacity, "capacity");
  const hugePages = [...totals]
    .filter(([name]) => name.startsWith("hugepages-"))
    .reduce((all, [, bytes]) => all + bytes, 0n);
  const entries = [...totals].map(([name, total]) => {
    const signal = signals[name];
    const kept = signal === undefined ? 0n : threshold(evictionHard[signal], total, fieldPath("evictionHard", signal));
    const left = total - (reserved.get(name) ?? 0n) - kept - (name === "memory" ? hugePages : 0n);
    return [name, left === total ? capacity[name] : formatAmount(name, left < 0n ? 0n : left)];
  });
  return Object.fromEntries(entries);
}

/** Returns what `kubeReserved` and `systemReserved` keep together. */
export function reservedOf({ kubeReserved, systemReserved }: NodeReservations): Amounts {
  return sum([amountsOf(kubeReserved, "kubeReserved"), amountsOf(systemReserved, "systemReserved")]);
}

/** Returns the bytes that an eviction threshold keeps free. */
function threshold(value: string | undefined, total: bigint, field: string): bigint {
  if (value === undefined) return 0n;
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(value)?.[1];
  if (percent === undefined) return wholeUnits(value, field);
  if (Number(percent) > 100) invalid(field, "must be at most 100%", value);
  // A kubelet computes the fraction in single precision.
  return BigInt(Math.trunc(Number(total) * Math.fround(Number(percent) / 100)));
}

function formatAmount(name: string, amount: bigint): QuantityManifest {
  if (name === "cpu") return amount % 1_000n === 0n ? String(amount / 1_000n) : `${amount}m`;
  return name === "memory" && amount % 1_024n === 0n ? `${amount / 1_024n}Ki` : String(amount);
}
