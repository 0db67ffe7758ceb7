/**
 * What every journey needs: a client, pods of its own, and the proof that nothing is left in the end.
 *
 * @module
 */
import { randomInt, randomUUID } from "node:crypto";
import { CriClient, type OwnedContainer, type OwnedPodSandbox, type Pods } from "k8s-cri-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { thorough } from "../../support/thorough.js";
import type { ProvidedLab } from "../provided.js";
import { describeRuntimes, type Runtime } from "../support.js";
import { type Traits, traitsOf } from "./traits.js";

export type PodSpec = Parameters<Pods["run"]>[0];
export type ContainerSpec = Parameters<CriClient["runContainerInSandbox"]>[1];

/** Keeps a container alive; it pays no heed to SIGTERM, as the first process of a namespace does by nature. */
export const idle = ["/bin/sleep", "infinity"] as const;

/** A shell line as a command. */
export const sh = (line: string): string[] => ["/bin/sh", "-c", line];

/** So many seconds as no other process of the node sleeps for, by which this one is known. */
export const uniqueSeconds = (): string => String(randomInt(1_000_000, 2_000_000_000));

/** What the namespace of every file begins with. */
const namespacePrefix = "journeys-";

export class Fixture {
  /** Everything this file makes is in here, so that on a runtime that others use it can be told from theirs. */
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

  /** A name that no other object of this file has. */
  name(what = "pod"): string {
    return `${this.theme}-${what}-${++this.#count}`;
  }

  podSpec(spec: Partial<PodSpec> = {}): PodSpec {
    return { name: this.name(), namespace: this.namespace, ...spec };
  }

  pod(spec: Partial<PodSpec> = {}): Promise<OwnedPodSandbox> {
    return this.cri.pods.run(this.podSpec(spec));
  }

  /** The cheapest pod there is, for journeys that care for containers only. */
  hostNetworkPod(spec: Partial<PodSpec> = {}): Promise<OwnedPodSandbox> {
    return this.pod({ hostNetwork: true, ...spec });
  }

  /** One pod for all journeys of the file that leave it as it is. It ends with the file. */
  sharedPod(): Promise<OwnedPodSandbox> {
    this.#shared ??= this.hostNetworkPod();
    return this.#shared;
  }

  /** One idle container in the shared pod, for journeys that run commands in it and leave it as it is. It ends with the file. */
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

  /** Runs a container that idles unless the spec says otherwise, and dies at once when it is disposed of. */
  container(pod: OwnedPodSandbox, spec: Partial<ContainerSpec> = {}): Promise<OwnedContainer> {
    return pod.runContainer(this.containerSpec(spec));
  }

  /** A client of its own, closed with the block. */
  client(options: Partial<Parameters<typeof CriClient.lazy>[0]> = {}): CriClient {
    const { endpoint, imageEndpoint } = this.runtime;
    return CriClient.lazy({ endpoint, imageEndpoint, ...options });
  }

  /** So many MiB for a journey that moves much; a quarter of it unless the tests are thorough. */
  scaledMebibytes(mebibytes: number): number {
    return thorough ? mebibytes : mebibytes / 4;
  }

  /**
   * The pods and containers that are here and should not be, in a fixed order: on the lab any but those of other files, elsewhere
   * those of this file. A pod of another file may turn up during this one: containerd that is killed and started again can list a
   * pod whose creation ran into its time limit long before.
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

  /** Removes what a failed test left, so that it fails alone. */
  async sweep(): Promise<void> {
    for (const { id, metadata } of await this.cri.pods.list()) {
      if (metadata?.namespace !== this.namespace) continue;
      await this.cri.pods.stop(id);
      await this.cri.pods.remove(id);
    }
  }
}

/** The name of the last test of each file and runtime. */
export const closingTest = "nothing is left on the runtime";

export interface JourneyOptions {
  /** One runtime after the other: for what measures the test process itself. @defaultValue false */
  sequential?: boolean;
  /** Only on the newest runtime, for what does not depend on it. @defaultValue false */
  newestOnly?: boolean;
}

/**
 * Registers journeys for every runtime. The runtimes take their journeys side by side, each its own one after the other. The
 * last test of each shows that nothing is left on the runtime.
 */
export function journeys(theme: string, define: (fixture: Fixture) => void, options: JourneyOptions = {}): void {
  describeRuntimes(
    (runtime) => {
      describe(theme, { concurrent: false }, () => {
        const fixture = new Fixture(runtime, theme);
        let before: string[] = [];
        beforeAll(async () => {
          await fixture.cri.images.ensure(fixture.image);
          // What an earlier file left is that file's failure.
          before = await fixture.leftovers();
        });
        define(fixture);
        test(closingTest, async () => {
          await fixture.closeSharedPod();
          expect((await fixture.leftovers()).filter((left) => !before.includes(left))).toEqual([]);
        });
        afterAll(async () => {
          await fixture.sweep();
          await fixture.cri.close();
        });
      });
    },
    { concurrent: !options.sequential, newestOnly: options.newestOnly ?? false },
  );
}

/** Journeys that need the lab: killing the runtime, its TLS endpoint, its registries. Elsewhere they are skipped, and say so. */
export function labJourneys(theme: string, define: (fixture: Fixture, lab: ProvidedLab) => void): void {
  journeys(theme, (fixture) => {
    const { lab, name } = fixture.runtime;
    if (lab) {
      define(fixture, lab);
      return;
    }
    const notice = `the journeys "${theme}" need the lab, and ${name} is not part of it`;
    console.warn(`\n!!! SKIPPED: ${notice}. !!!\n`);
    test.skip(notice, () => {});
  });
}
