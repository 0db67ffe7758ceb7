import { isDeepStrictEqual } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { messageToJson } from "../../../../src/json/message-json.js";
import { planPod } from "../../../../src/kubernetes/index.js";
import { ContainerConfig, RunPodSandboxRequest } from "../../../../src/proto.js";
import { type FlatMessage, imageId, type Recording, recordings } from "../../../support/kubelet-recordings.js";

/** Fields that cannot agree with a kubelet, by JSON pointer, with the reason. An entry without a difference fails. */
const knownDifferences: Readonly<Record<string, string>> = {
  "/envs/POD_IP": "with hostNetwork, a kubelet without API server sends an empty address, although it knows the node's",
  "/envs/SA":
    "an API server names the service account of a pod without one `default`; a kubelet without API server has none",
  "/config/annotations/k8s-cri-client~1pod-hash":
    "a kubelet knows its pods from the API server; we find ours by this annotation after a crash",
};

/** What differs from run to run, also between two runs of a kubelet. */
function stable(path: string, value: unknown): unknown {
  if (path === "/config/dnsConfig/options") return [...(value as string[])].sort();
  if (path !== "/mounts") return value;
  const mounts = value as { hostPath?: string }[];
  return mounts.map((mount) => {
    const hostPath = mount.hostPath?.replace(/(\/containers\/[^/]+\/)[0-9a-f]{8}$/, "$1<log>");
    return { ...mount, ...(hostPath !== undefined && { hostPath }) };
  });
}

const found = new Set<string>();

describe("the messages of a plan agree with those of a kubelet in every field", () => {
  test.each(recordings().map((recording) => [`${recording.set}/${recording.pod}`, recording] as const))(
    "%s",
    (_, recording) => {
      expect(differencesOf(recording)).toEqual([]);
    },
  );

  afterAll(() => {
    expect(
      Object.keys(knownDifferences).filter((path) => !found.has(path)),
      "entries without a difference",
    ).toEqual([]);
  });
});

function differencesOf({ manifest, node, objects, tokens, podIPs, sandbox, containers }: Recording): string[] {
  const plan = planPod(manifest, { node, objects, tokens });
  const differences = compare("sandbox", sandbox, messageToJson(RunPodSandboxRequest, plan.sandbox(0)));
  for (const { name, attempt, config } of containers) {
    const container = plan.containers.find((one) => one.name === name)!;
    const reference = String(config["/image/userSpecifiedImage"]);
    const imageVolumes = Object.fromEntries(
      plan.volumes.flatMap((volume) => {
        return volume.kind === "image" ? [[volume.image.reference, imageId(volume.image.reference)]] : [];
      }),
    );
    const planned = container.config({
      podSandboxId: "sandbox",
      podIPs,
      attempt,
      image: { id: imageId(reference), uid: 0n },
      imageVolumes,
    });
    const envs = Object.fromEntries(planned.envs.map(({ key, value }) => [key, Buffer.from(value).toString()]));
    const json = { ...messageToJson(ContainerConfig, planned), envs };
    differences.push(...compare(`${name}#${attempt}`, config, json));
  }
  return differences;
}

function compare(message: string, expected: FlatMessage, planned: object): string[] {
  const actual = flatten(planned);
  const paths = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
  return paths.flatMap((path) => {
    const [before, after] = [expected, actual].map((side) => (path in side ? stable(path, side[path]) : "absent"));
    if (isDeepStrictEqual(before, after)) return [];
    if (path in knownDifferences) {
      found.add(path);
      return [];
    }
    return [`${message}${path}: a kubelet sends ${JSON.stringify(before)}, the plan has ${JSON.stringify(after)}`];
  });
}

/** Lists the fields of a message by JSON pointer. Objects without fields and lists are values. */
function flatten(value: unknown, path = "", fields: Record<string, unknown> = {}): Record<string, unknown> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || Object.keys(value).length === 0) fields[path] = value;
  else {
    for (const [key, item] of Object.entries(value)) {
      flatten(item, `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, fields);
    }
  }
  return fields;
}
