import type { Long, NetworkInterfaceUsage } from "../../proto.js";
import { plain } from "./figures.js";
import type { Pair } from "./last-two.js";
import { growth } from "./rates.js";

/** Traffic of one network interface of a pod. */
export interface InterfaceFigures {
  /** Such as "eth0". */
  readonly name: string;
  /** Bytes per second received since the measurement before; `undefined` where that cannot be told, as with CPU. */
  readonly rxBytesPerSecond: number | undefined;
  /** Bytes per second sent. */
  readonly txBytesPerSecond: number | undefined;
  /** Bytes received since the interface was made. */
  readonly rxBytes: number | undefined;
  /** Bytes sent. */
  readonly txBytes: number | undefined;
  /** Errors while receiving. */
  readonly rxErrors: number | undefined;
  /** Errors while sending. */
  readonly txErrors: number | undefined;
}

type InterfaceReading = Pick<NetworkInterfaceUsage, "name" | "rxBytes" | "txBytes"> & Partial<NetworkInterfaceUsage>;

/** What a pod's interfaces had counted at one time. */
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
 * The interfaces of a pod, the default one first, each once. containerd puts no time on them: what it measured in the same answer
 * stands in.
 */
export function networkReading(
  network: Network | undefined,
  standIn: { timestamp: Long } | undefined,
): NetworkReading | undefined {
  if (!network) return undefined;
  const byName = new Map<string, InterfaceReading>();
  for (const one of [network.defaultInterface, ...network.interfaces]) if (one) byName.set(one.name, one);
  const timestamp = network.timestamp.isZero() ? (standIn?.timestamp ?? network.timestamp) : network.timestamp;
  return { timestamp, interfaces: [...byName.values()] };
}

export function networkFigures({ previous, latest }: Pair<NetworkReading>): InterfaceFigures[] | undefined {
  return latest?.interfaces.map((current) => {
    const before = previous?.interfaces.find(({ name }) => name === current.name);
    const perSecond = (counter: "rxBytes" | "txBytes") => {
      const perNanosecond = growth(previous && { at: previous.timestamp, counter: before?.[counter]?.value }, {
        at: latest.timestamp,
        counter: current[counter]?.value,
      });
      return perNanosecond === undefined ? undefined : perNanosecond * 1e9;
    };
    return {
      name: current.name,
      rxBytesPerSecond: perSecond("rxBytes"),
      txBytesPerSecond: perSecond("txBytes"),
      rxBytes: plain(current.rxBytes),
      txBytes: plain(current.txBytes),
      rxErrors: plain(current.rxErrors),
      txErrors: plain(current.txErrors),
    };
  });
}
