/**
 * Registers journeys. Gives each file a client and its own pods, and checks that no pods and containers remain on the runtime.
 *
 * @module
 */
import { randomInt, randomUUID } from "node:crypto";
import { type ContainerSpec, CriClient, type OwnedContainer, type OwnedPodSandbox, type PodSpec } from "k8s-cri-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { thorough } from "../../support/thorough.js";
import type { ProvidedLab } from "../provided.js";
import { describeRuntimes, type Runtime } from "../support.js";
import { type Traits, traitsOf } from "./traits.js";

export type { ContainerSpec, PodSpec };

/** Keeps a container running. As process 1 of its namespace, it ignores SIGTERM. */
export const idle = ["/bin/sleep", "infinity"] as const;

/** Returns the command that runs a shell line. */
export const sh = (line: string): string[] => ["/bin/sh", "-c", line];

/** Returns a random number of seconds (11 days or more), so that a test can find the process of its `sleep` by the argument. */
export const uniqueSeconds = (): string => String(randomInt(1_000_000, 2_000_000_000));

/** Prefix of the namespace of every file. */
const namespacePrefix = "journeys-";

/** The objects that the journeys of one file use on one runtime. */
export class Fixture {
  /** The namespace of all pods of this file. It distinguishes them from other pods on a shared runtime. */
  readonly namespace = `${namespacePrefix}${randomUUID().slice(0, 8)}`;
  readonly cri: CriClient;
  readonly image: string;
  readonly traits: Traits;
  #count = 0;
  #shared: Promise<OwnedPodSandbox> | undefined;
  #sharedContainer: Promise<OwnedContainer> | undefined;

  constructor(
    readonly runtime: Runtime,
    private readonly theme: string,
  ) {
    this.cri = CriClient.lazy({ endpoint: runtime.endpoint, imageEndpoint: runtime.imageEndpoint });
    this.image = runtime.image;
    this.traits = traitsOf(runtime.runtimeName);
  }

  /** Returns a name that no other object of this file has. */
  name(kind = "pod"): string {
    return `${this.theme}-${kind}-${++this.#count}`;
  }

  podSpec(spec: Partial<PodSpec> = {}): PodSpec {
    return { name: this.name(), namespace: this.namespace, ...spec };
  }

  pod(spec: Partial<PodSpec> = {}): Promise<OwnedPodSandbox> {
    return this.cri.pods.run(this.podSpec(spec));
  }

  /** Runs a pod in the network of the node, which starts faster, for journeys that test containers only. */
  hostNetworkPod(spec: Partial<PodSpec> = {}): Promise<OwnedPodSandbox> {
    return this.pod({ hostNetwork: true, ...spec });
  }

  /** Returns one pod for all journeys of the file that do not change it. It is removed after the last test. */
  sharedPod(): Promise<OwnedPodSandbox> {
    this.#shared ??= this.hostNetworkPod();
    return this.#shared;
  }

  /** Returns one idle container in the shared pod, for journeys that run commands in it but do not change it. */
  sharedContainer(): Promise<OwnedContainer> {
    this.#sharedContainer ??= this.sharedPod().then((pod) => this.container(pod));
    return this.#sharedContainer;
  }

  async closeSharedPod(): Promise<void> {
    await (await this.#shared)?.[Symbol.asyncDispose]();
    this.#shared = undefined;
    this.#sharedContainer = undefined;
  }

  containerSpec(spec: Partial<ContainerSpec> = {}): ContainerSpec {
    return {
      name: this.name("c"),
      image: this.image,
      command: [...idle],
      terminationGracePeriodSeconds: 0,
      ...spec,
    };
  }

  /** Runs a container, by default {@link idle} and with a grace period of 0 s. */
  container(pod: OwnedPodSandbox, spec: Partial<ContainerSpec> = {}): Promise<OwnedContainer> {
    return pod.runContainer(this.containerSpec(spec));
  }

  /** Creates another client. The caller closes it. */
  client(options: Partial<Parameters<typeof CriClient.lazy>[0]> = {}): CriClient {
    const { endpoint, imageEndpoint } = this.runtime;
    return CriClient.lazy({ endpoint, imageEndpoint, ...options });
  }

  /** Returns the size of a large transfer in MiB: a quarter of the given size unless `CRI_TEST_THOROUGH=1` is set. */
  scaledMebibytes(mebibytes: number): number {
    return thorough ? mebibytes : mebibytes / 4;
  }

  /**
   * Lists the pods and containers that should not exist, sorted. In the lab, these are all except those of other files. On other
   * runtimes, these are those of this file.
   *
   * A pod of another file may appear during this one: after a kill and restart, containerd can list a pod whose creation timed
   * out long before.
   */
  async leftovers(): Promise<string[]> {
    const isOurs = (namespace = "") =>
      namespace === this.namespace || (this.runtime.lab !== undefined && !namespace.startsWith(namespacePrefix));
    const all = await this.cri.pods.list();
    const pods = all.filter(({ metadata }) => isOurs(metadata?.namespace));
    const others = new Set(all.filter((pod) => !pods.includes(pod)).map(({ id }) => id));
    const ours = new Set(pods.map(({ id }) => id));
    const containers = (await this.cri.containers.list()).filter(({ podSandboxId: pod }) =>
      this.runtime.lab ? !others.has(pod) : ours.has(pod),
    );
    return [
      ...pods.map(({ metadata, id }) => `pod ${metadata?.namespace}/${metadata?.name} ${id}`),
      ...containers.map(({ metadata, id }) => `container ${metadata?.name} ${id}`),
    ].sort();
  }

  /** Removes the pods that a failed test left, so that later files do not fail as well. */
  async cleanUp(): Promise<void> {
    for (const { id, metadata } of await this.cri.pods.list()) {
      if (metadata?.namespace !== this.namespace) continue;
      await this.cri.pods.get(id).stop();
      await this.cri.pods.remove(id);
    }
  }
}

/** The name of the last test of each file and runtime. */
export const closingTest = "the journeys leave no pods or containers on the runtime";

export interface JourneyOptions {
  /** Tests one runtime after the other, for journeys that measure the test process itself. @defaultValue false */
  sequential?: boolean;
  /** Tests only the newest runtime, for journeys that do not depend on the runtime. @defaultValue false */
  newestOnly?: boolean;
}

/**
 * Registers journeys for every runtime. Runtimes are tested concurrently; the journeys of one runtime run one after the other. The
 * last test of each runtime checks that no pods and containers remain on it.
 *
 * `expect.poll` needs the `expect` of the test, `test("…", async ({ expect }) => …)`: the imported one belongs to whichever test
 * of the runtimes started or ended last.
 */
export function journeys(theme: string, define: (fixture: Fixture) => void, options: JourneyOptions = {}): void {
  describeRuntimes(
    (runtime) => {
      describe(theme, { concurrent: false }, () => {
        const fixture = new Fixture(runtime, theme);
        let before: string[] = [];
        beforeAll(async () => {
          await fixture.cri.images.ensure(fixture.image);
          // Objects that an earlier file left behind are a failure of that file, not of this one.
          before = await fixture.leftovers();
        });
        define(fixture);
        test(closingTest, async () => {
          await fixture.closeSharedPod();
          expect((await fixture.leftovers()).filter((left) => !before.includes(left))).toEqual([]);
        });
        afterAll(async () => {
          await fixture.cleanUp();
          await fixture.cri.close();
        });
      });
    },
    { concurrent: !options.sequential, newestOnly: options.newestOnly ?? false },
  );
}

/** Registers journeys that need the lab: its TLS endpoint, its registries, or the kill of a runtime. Other runtimes skip them. */
export function labJourneys(theme: string, define: (fixture: Fixture, lab: ProvidedLab) => void): void {
  journeys(theme, (fixture) => {
    const { lab, name } = fixture.runtime;
    if (lab) {
      define(fixture, lab);
      return;
    }
    const notice = `the journeys "${theme}" need the lab, but ${name} is not part of it`;
    console.warn(`\n!!! SKIPPED: ${notice}. !!!\n`);
    test.skip(notice, () => {});
  });
}
