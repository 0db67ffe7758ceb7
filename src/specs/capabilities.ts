import { Capability } from "../proto.js";
import { at, closest, invalid, isSet, object, words } from "./check.js";

/** Linux capabilities, with or without `CAP_`, in any case; `ALL` stands for all. */
export interface CapabilitiesSpec {
  /** On top of the runtime's default set. */
  add?: readonly string[] | undefined;
  /** Out of the runtime's default set. */
  drop?: readonly string[] | undefined;
  /** Into the ambient set, which survives exec by a user other than root. Since Kubernetes 1.24; containerd ignores it. */
  ambient?: readonly string[] | undefined;
}

export function toCapabilities(spec: CapabilitiesSpec | undefined, field: string): Capability | undefined {
  if (!isSet(spec)) return undefined;
  const { add, drop, ambient } = object(spec, field, { add: true, drop: true, ambient: true });
  return Capability.create({
    addCapabilities: capabilityNames(add, at(field, "add")),
    dropCapabilities: capabilityNames(drop, at(field, "drop")),
    addAmbientCapabilities: capabilityNames(ambient, at(field, "ambient")),
  });
}

// Those of Linux 6.x; the last one came with 5.9. runc skips a name it does not know with a warning that nobody sees.
const knownCapabilities = (
  "ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER " +
  "FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST " +
  "NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE " +
  "SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM"
).split(" ");

/** Without `CAP_`: containerd puts it in front itself. */
function capabilityNames(names: readonly string[] | undefined, field: string): string[] {
  return words(names, field).map((name, index) => {
    const bare = name.toUpperCase().replace(/^CAP_/, "");
    if (knownCapabilities.includes(bare)) return bare;
    const meant = closest(bare, knownCapabilities);
    return invalid(
      at(field, index),
      `is not a Linux capability${meant === undefined ? "" : `; did you mean ${meant}?`}`,
      name,
    );
  });
}
