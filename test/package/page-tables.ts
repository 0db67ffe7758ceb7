/**
 * Tables of the guides, derived from the code.
 *
 * @module
 */
import { callPolicies } from "k8s-cri-client";
import { fakeFlavors, flavorProfile } from "../../src/testing/flavors.js";

/** How the table describes a budget. The keys are its minutes without and with a `timeout` of five minutes in the request. */
const budgets: Record<string, string> = {
  "2 2": "2 min",
  "4 4": "4 min",
  "2 7": "2 min plus the grace period",
  "2 5": "2 min, or the checkpoint's timeout if that is longer",
  "none 7": "2 min plus `commandTimeoutSeconds`; none without it",
  "none none": "none",
};

/** Returns the rows of the table of budgets and retries in docs/timeouts.md. */
export function policyTable(): string {
  const rows = new Map<string, string[]>();
  for (const [rpc, policy] of Object.entries(callPolicies)) {
    const budgetMs = policy.budgetMs as (baseMs: number, request: object) => number | undefined;
    const minutes = (request: object) => {
      const ms = budgetMs(120_000, request);
      return ms === undefined ? "none" : String(ms / 60_000);
    };
    const budget = budgets[`${minutes({})} ${minutes({ timeout: 300 })}`];
    if (budget === undefined) throw new Error(`no description for the budget of ${rpc}`);
    const row = `| ${budget} | ${policy.retry} |`;
    rows.set(row, [...(rows.get(row) ?? []), rpc.split("/")[1] ?? ""]);
  }
  return [...rows].map(([row, rpcs]) => `${row} ${rpcs.join(", ")} |`).join("\n");
}

/** Returns the table of flavours in docs/testing.md. */
export function flavorTable(): string {
  const flavors = fakeFlavors.map(flavorProfile);
  type Profile = (typeof flavors)[number];
  const missing = ({ unknown, notImplemented }: Profile) => [...unknown, ...notImplemented];
  const events = {
    broadcast: "every event to every subscriber",
    shared: "each event to one subscriber",
    off: "ends at once",
  };
  const podStops = {
    kills: "is killed at once",
    waitsForDeadline: "is killed just before the deadline of the call",
    leavesContainers: "runs on",
  };
  const logDirectories = {
    created: "is created",
    failsCreate: "fails CreateContainer",
    failsStart: "fails StartContainer",
  };
  const rows: Record<string, (profile: Profile) => string> = {
    "": ({ name }) => name,
    "a name that is taken": ({ takenName }) => (takenName === "holder" ? "the id of the holder" : takenName),
    "a process that ignores SIGTERM, at StopPodSandbox": ({ podStop }) => podStops[podStop],
    "the verbose `info` of pods and containers": ({ verboseInfo }) =>
      ({
        config: "the configuration",
        runtimeSpec: "an OCI spec, without the pod's security context",
        pid: "the pid of a container",
      })[verboseInfo],
    "fails for a missing object": ({ failsOnMissing }) => failsOnMissing.join(", ") || "–",
    "a missing program fails": ({ checksProgram }) =>
      checksProgram === "create" ? "CreateContainer" : "StartContainer",
    "a missing command": ({ errors }) => {
      const answer = errors.exec("Exec", "", "");
      return answer instanceof Error ? "fails" : `exits with ${answer.exitCode}`;
    },
    "a missing folder in `logPath`": ({ missingLogDirectory }) => logDirectories[missingLogDirectory],
    "the log of a container whose pod has no log directory": ({ ownLogDirectory }) =>
      ownLogDirectory === undefined ? "none" : `below \`${ownLogDirectory}\``,
    "a pod named `my_pod`": ({ parsesNames }) => (parsesNames ? "has no status and is not listed" : "works"),
    "the format of logs": ({ logFormat }) => ({ cri: "CRI", docker: "Docker's JSON" })[logFormat],
    "the log of a container that is removed": ({ logOutlivesContainer }) =>
      logOutlivesContainer ? "stays" : "is removed",
    "StartContainer of a container that has exited": ({ errors }) =>
      errors.alreadyStarted ? "fails" : "starts it again",
    "ExecSync in a container with a terminal": ({ execSyncHasTerminal }) =>
      execSyncHasTerminal ? "lines end with CR LF, stderr is part of stdout" : "has no terminal",
    "the command of an ExecSync is killed": ({ killsCommand }) =>
      ({ atLimitOrEnd: "at its time limit, or when the call ends", atLimit: "at its time limit", never: "never" })[
        killsCommand
      ],
    "a list of containers in the state unknown": ({ listsUnknown }) => (listsUnknown ? "works" : "fails"),
    "commands in a container that was not started": ({ execInCreated }) => (execInCreated ? "run" : "fail"),
    "the exit code of a command that leaves more than 64 KiB of its input unread": ({ unreadInput }) =>
      ({ exitCode: "is reported", fails: "is not reported: the session fails", noStatus: "is never reported" })[
        unreadInput
      ],
    "data on an ended stream of a terminal": ({ dataAfterEnd }) => (dataAfterEnd ? "yes" : "no"),
    "statistics of a container": ({ containerStats }) =>
      ({ all: "all", basic: "processor time and working set" })[containerStats],
    "statistics of a pod without `cgroupParent`": (profile) => {
      if (missing(profile).includes("PodSandboxStats")) return "UNIMPLEMENTED";
      return profile.statsNeedCgroupParent ? "fail" : "work";
    },
    "RunPodSandbox that fails": ({ leavesFailedPods }) =>
      leavesFailedPods ? "leaves a pod that is not ready" : "leaves nothing",
    "RemoveImage of a tag": ({ imageRemoval }) =>
      ({ image: "removes the image", tag: "removes the tag", idOnly: "does nothing" })[imageRemoval],
    "RemoveImage of a digest": ({ imageRemoval }) => (imageRemoval === "image" ? "removes the image" : "does nothing"),
    "RemoveImage of an image that a container uses": ({ errors }) => (errors.imageInUse ? "fails" : "removes it"),
    "the image of pod sandboxes": ({ sandboxImage }) => (sandboxImage.pinned ? "pinned" : "not pinned"),
    "the result of PullImage": ({ pullResult }) => (pullResult === "id" ? "the id" : "name and digest"),
    "CreateContainer in a stopped pod": ({ createsInStoppedSandbox }) => (createsInStoppedSandbox ? "OK" : "fails"),
    GetContainerEvents: (profile) =>
      missing(profile).includes("GetContainerEvents") ? "UNIMPLEMENTED" : events[profile.events],
    "the filter of ListImages": ({ filtersImages }) => (filtersImages ? "works" : "is ignored"),
    "`imageId` in statuses": ({ reportsImageId }) => (reportsImageId ? "yes" : "no"),
    "largest message": ({ maxMessageBytes }) => `${maxMessageBytes / 2 ** 20} MiB`,
    "UNIMPLEMENTED, besides the streaming lists": (profile) =>
      missing(profile)
        .filter((rpc) => !rpc.startsWith("Stream") && rpc !== "GetContainerEvents")
        .sort()
        .join(", "),
  };
  const lines = Object.entries(rows).map(([title, cell]) => `| ${[title, ...flavors.map(cell)].join(" | ")} |`);
  return [lines[0]?.replace("|  |", "| |"), `|---|${"---|".repeat(flavors.length)}`, ...lines.slice(1)].join("\n");
}
