import fc from "fast-check";
import { describe, it } from "vitest";
import { InvalidInputError } from "../../../src/errors.js";
import { ContainerConfig, PodSandboxConfig } from "../../../src/proto.js";
import { readContainerSpec } from "../../../src/specs/container-config.js";
import { authFromDockerConfig } from "../../../src/specs/credentials/docker-auth.js";
import { readHelperOutput } from "../../../src/specs/credentials/helper.js";
import { readProviderConfig } from "../../../src/specs/credentials/provider-config.js";
import { readProviderResponse } from "../../../src/specs/credentials/provider-response.js";
import { readPullSecret } from "../../../src/specs/credentials/pull-secret.js";
import { toAuthConfig } from "../../../src/specs/credentials/registry-auth.js";
import { parseImageReference } from "../../../src/specs/image-reference.js";
import { toPodSandboxConfig } from "../../../src/specs/pod-config.js";

/* Any value from plain JavaScript results in a message that can be encoded, or in an InvalidInputError. */

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withTypedArray: true,
  withSparseArray: true,
});

function refusedOrConverted(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
  }
}

/** Objects with known keys and arbitrary values. Objects with random keys would all be refused for an unknown field. */
const record = (...keys: string[]) =>
  fc.oneof(fc.record(Object.fromEntries(keys.map((key) => [key, anything])), { requiredKeys: [] }), anything);
const listOf = (item: fc.Arbitrary<unknown>) => fc.oneof(fc.array(item, { maxLength: 3 }), anything);
const range = record("containerId", "hostId", "length");
const resources = fc.record(
  {
    requests: record("cpu", "memory"),
    limits: record("cpu", "memory", "hugepages-2Mi"),
    cpusetCpus: anything,
    memoryAndSwapLimit: anything,
    oomScoreAdj: anything,
    unified: anything,
  },
  { requiredKeys: [] },
);
const security = record(
  "privileged",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seccomp",
  "apparmor",
  "selinux",
);

const pod = fc.record(
  {
    name: fc.oneof(fc.constant("web"), anything),
    namespace: anything,
    uid: anything,
    attempt: anything,
    labels: anything,
    annotations: anything,
    logDirectory: anything,
    hostname: anything,
    hostNetwork: anything,
    hostPID: anything,
    shareProcessNamespace: anything,
    userNamespace: fc.record({ uids: listOf(range), gids: listOf(range) }),
    ports: listOf(record("containerPort", "hostPort", "protocol", "hostIP")),
    dns: record("servers", "searches", "options"),
    runtimeHandler: anything,
    sysctls: anything,
    cgroupParent: anything,
    security,
    resources,
    overhead: record("cpu", "memory"),
    windows: record("runAsUserName", "credentialSpec", "hostProcess"),
    terminationGracePeriodSeconds: anything,
    patch: anything,
  },
  { requiredKeys: [] },
);

const container = fc.record(
  {
    name: fc.oneof(fc.constant("web"), anything),
    image: fc.oneof(fc.constant("nginx"), record("reference", "annotations", "runtimeHandler")),
    attempt: anything,
    command: anything,
    args: anything,
    env: listOf(record("name", "value")),
    workingDir: anything,
    mounts: listOf(record("hostPath", "containerPath", "image", "readOnly", "propagation", "uidMappings", "options")),
    devices: listOf(record("hostPath", "containerPath", "permissions")),
    cdiDevices: anything,
    labels: anything,
    annotations: anything,
    logPath: anything,
    stdin: anything,
    stdinOnce: anything,
    tty: anything,
    resources,
    security: fc.oneof(
      security,
      record("runAsUserName", "capabilities", "allowPrivilegeEscalation", "maskedPaths", "readonlyPaths"),
    ),
    processes: anything,
    stopSignal: anything,
    windows: anything,
    terminationGracePeriodSeconds: anything,
    patch: anything,
  },
  { requiredKeys: [] },
);

/** Valid specs with one arbitrary field each, so that every field is reached although the others are checked, too. */
const withOneFieldOf = (whole: fc.Arbitrary<Record<string, unknown>>, good: Record<string, unknown>) =>
  whole.chain((spec) => {
    const keys = Object.keys(spec);
    return keys.length === 0
      ? fc.constant<Record<string, unknown>>(good)
      : fc.constantFrom(...keys).map((key): Record<string, unknown> => ({ ...good, [key]: spec[key] }));
  });

const runs = { numRuns: 2_000 };

describe("arbitrary input is converted or refused", () => {
  const knownPod = toPodSandboxConfig({ name: "pod" }).config;

  it("as a pod spec", () => {
    fc.assert(
      fc.property(fc.oneof(anything, pod, withOneFieldOf(pod, { name: "web" })), (spec) => {
        refusedOrConverted(() => PodSandboxConfig.encode(toPodSandboxConfig(spec as never).config).finish());
      }),
      runs,
    );
  });

  it("as a container spec", () => {
    fc.assert(
      fc.property(fc.oneof(anything, container, withOneFieldOf(container, { name: "web", image: "nginx" })), (spec) => {
        refusedOrConverted(() => {
          const { config } = readContainerSpec(spec as never).complete({ pod: knownPod });
          ContainerConfig.encode(config).finish();
        });
      }),
      runs,
    );
  });

  it("as credentials", () => {
    const keys = record("username", "password", "auth", "identityToken", "registryToken", "serverAddress");
    fc.assert(
      fc.property(keys, (auth) => refusedOrConverted(() => toAuthConfig(auth as never))),
      runs,
    );
  });

  it("as a Docker configuration", () => {
    const config = fc.oneof(
      fc.record({
        auths: fc.oneof(fc.record({ "docker.io": record("auth", "username", "password", "identitytoken") }), anything),
        credsStore: anything,
        credHelpers: anything,
      }),
      anything,
      fc.json(),
    );
    fc.assert(
      fc.property(config, anything, (file, image) => {
        refusedOrConverted(() => authFromDockerConfig(file as never, "nginx"));
        refusedOrConverted(() => authFromDockerConfig({}, image as never));
      }),
      runs,
    );
  });

  it("as a pull secret", () => {
    const type = fc.constantFrom("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg", "Opaque");
    const text = fc.oneof(fc.json(), fc.base64String(), anything);
    const data = fc.record({ ".dockerconfigjson": text, ".dockercfg": text }, { requiredKeys: [] });
    const secret = fc.record({ type, data: fc.oneof(data, anything), stringData: data, metadata: anything });
    fc.assert(
      fc.property(fc.oneof(secret, anything), (given) => {
        refusedOrConverted(() => readPullSecret(given as never, "secret").config.entriesFor("nginx"));
      }),
      runs,
    );
  });

  it("as a configuration of plugins", () => {
    const provider = record("name", "matchImages", "defaultCacheDuration", "apiVersion", "args", "env");
    const config = fc.record({
      apiVersion: fc.constant("kubelet.config.k8s.io/v1"),
      kind: fc.constant("CredentialProviderConfig"),
      providers: listOf(provider),
    });
    fc.assert(
      fc.property(fc.oneof(config, anything), (given) => {
        refusedOrConverted(() => readProviderConfig(given, "config"));
      }),
      runs,
    );
  });

  it("as an image reference", () => {
    fc.assert(
      fc.property(anything, (given) => refusedOrConverted(() => parseImageReference(given as never))),
      runs,
    );
  });
});

it("arbitrary output of helpers and plugins never throws", () => {
  const apiVersion = "v1";
  const response = fc
    .record({
      kind: fc.constant("CredentialProviderResponse"),
      apiVersion: fc.constant(apiVersion),
      cacheKeyType: fc.constantFrom("Image", 5, undefined),
      cacheDuration: fc.oneof(fc.string(), fc.jsonValue()),
      auth: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
    })
    .map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(fc.oneof(response, fc.json(), fc.string()), (output) => {
      readHelperOutput(output, "registry.example");
      readProviderResponse(output, apiVersion);
    }),
    {
      ...runs,
      // An object that cannot become a string.
      examples: [
        [
          '{"kind":"CredentialProviderResponse","apiVersion":"v1","cacheKeyType":"Image","cacheDuration":{"toString":null}}',
        ],
      ],
    },
  );
});
