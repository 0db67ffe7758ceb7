import type { Long, NetworkInterfaceUsage } from "../../proto.js";
import { toNumber } from "./figures.js";
import type { MeasurementPair } from "./measurement-pairs.js";
import { growthPerNanosecond } from "./rates.js";

/** Traffic of one network interface of a pod. */
export interface InterfaceFigures {
  /** The interface's name, for example "eth0". */
  readonly name: string;
  /** Bytes received per second since the previous measurement; `undefined` in the same cases as {@link CpuFigures.cores}. */
  readonly rxBytesPerSecond: number | undefined;
  /** Bytes sent per second, as {@link rxBytesPerSecond}. */
  readonly txBytesPerSecond: number | undefined;
  /** Bytes received since the interface was created. */
  readonly rxBytes: number | undefined;
  /** Bytes sent since the interface was created. */
  readonly txBytes: number | undefined;
  /** Errors while receiving. */
  readonly rxErrors: number | undefined;
  /** Errors while sending. */
  readonly txErrors: number | undefined;
}

type InterfaceReading = Pick<NetworkInterfaceUsage, "name" | "rxBytes" | "txBytes"> & Partial<NetworkInterfaceUsage>;

/** The counters of a pod's interfaces at one time. */
export interface NetworkReading {
  readonly timestamp: Long;
  readonly interfaces: readonly InterfaceReading[];
}

interface Network {
  timestamp: Long;
  defaultInterface: InterfaceReading | undefined;
  interfaces: readonly InterfaceReading[];
}

/**
 * Returns the interfaces of a pod, each once, the default one first. containerd sends no timestamp for them, so the timestamp of
 * another measurement in the same reply replaces it.
 */
export function networkReading(
  network: Network | undefined,
  sibling: { timestamp: Long } | undefined,
): NetworkReading | undefined {
  if (!network) return undefined;
  const byName = new Map<string, InterfaceReading>();
  for (const item of [network.defaultInterface, ...network.interfaces]) if (item) byName.set(item.name, item);
  const timestamp = network.timestamp.isZero() ? (sibling?.timestamp ?? network.timestamp) : network.timestamp;
  return { timestamp, interfaces: [...byName.values()] };
}

export function networkFigures({ previous, latest }: MeasurementPair<NetworkReading>): InterfaceFigures[] | undefined {
  return latest?.interfaces.map((current) => {
    const before = previous?.interfaces.find(({ name }) => name === current.name);
    const perSecond = (counter: "rxBytes" | "txBytes") => {
      const perNanosecond = growthPerNanosecond(
        previous && { at: previous.timestamp, counter: before?.[counter]?.value },
        {
          at: latest.timestamp,
          counter: current[counter]?.value,
        },
      );
      return perNanosecond === undefined ? undefined : perNanosecond * 1e9;
    };
    return {
      name: current.name,
      rxBytesPerSecond: perSecond("rxBytes"),
      txBytesPerSecond: perSecond("txBytes"),
      rxBytes: toNumber(current.rxBytes),
      txBytes: toNumber(current.txBytes),
      rxErrors: toNumber(current.rxErrors),
      txErrors: toNumber(current.txErrors),
    };
  });
}
