import { invalid, list, requiredString } from "../input/check.js";
import { ObjectReader } from "../input/object-reader.js";
import { closest } from "../internal/closest.js";
import { Capability } from "../proto.js";

/** Linux capabilities, with or without `CAP_`, in any case; `ALL` stands for all. */
export interface CapabilitiesSpec {
  /** Added to the runtime's default set. */
  add?: readonly string[] | undefined;
  /** Removed from the runtime's default set. */
  drop?: readonly string[] | undefined;
  /** Added to the ambient set, which survives exec by a user other than root. Since Kubernetes 1.24; containerd ignores it. */
  ambient?: readonly string[] | undefined;
}

export function toCapabilities(spec: CapabilitiesSpec, field: string): Capability {
  const capabilities = new ObjectReader(spec, field, { add: true, drop: true, ambient: true });
  return Capability.create({
    addCapabilities: capabilities.read("add", list, capabilityName),
    dropCapabilities: capabilities.read("drop", list, capabilityName),
    addAmbientCapabilities: capabilities.read("ambient", list, capabilityName),
  });
}

// The capabilities of Linux 6.x; the last one came with 5.9. runc skips an unknown name and only logs a warning.
const knownCapabilities = (
  "ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER " +
  "FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST " +
  "NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE " +
  "SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM"
).split(" ");

/** Checks the name of a capability. Returns it without `CAP_`, because containerd adds this prefix itself. */
function capabilityName(value: unknown, field: string): string {
  const name = requiredString(value, field);
  const bare = name.toUpperCase().replace(/^CAP_/, "");
  if (knownCapabilities.includes(bare)) return bare;
  const meant = closest(bare, knownCapabilities);
  return invalid(field, `is not a Linux capability${meant === undefined ? "" : `; did you mean ${meant}?`}`, name);
}
