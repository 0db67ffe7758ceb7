/** A user who may not use the runtime's socket: a clear error, and nothing else. */
import { chown } from "node:fs/promises";
import { CriClient, EndpointError } from "k8s-cri-client";
import { expect, test } from "vitest";
import { criFailureOf, failureOf } from "./helpers/expectations.js";
import { journeys } from "./helpers/journeys.js";

const nobody = 65_534;
/** A group of which nobody is a member. */
const someGroup = 54_321;

/** Does something as a user who owns nothing, and is a member of one group. */
async function asNobody<T>(group: number, work: () => Promise<T>): Promise<T> {
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([group]);
  process.setegid?.(group);
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  }
}

// The user is that of the whole process, so there is one runtime at a time.
journeys(
  "socket-access",
  (fixture) => {
    const { endpoint, lab } = fixture.runtime;
    const socket = endpoint.replace(/^unix:\/\//, "");
    const possible = lab !== undefined && process.geteuid?.() === 0;

    test.skipIf(!possible)("connect() says whose the socket is, and what would help", async () => {
      const failure = await asNobody(nobody, () => failureOf(CriClient.connect({ endpoint })));
      expect(failure).toBeInstanceOf(EndpointError);
      expect(failure).toMatchObject({ code: "UNAVAILABLE" });
      expect(String(failure)).toContain(
        `permission denied: ${socket} belongs to user root and group root, mode 0660; run as root`,
      );
    });

    test.skipIf(!possible)("a call says what is wrong, and has had no effect", async () => {
      await using client = CriClient.lazy({ endpoint });
      const spec = fixture.podSpec();
      const [asked, made] = await asNobody(nobody, async () => [
        await criFailureOf(client.version()),
        await criFailureOf(client.pods.run(spec, { timeoutMs: 2_000 })),
      ]);
      for (const failure of [asked!, made!]) {
        expect(failure).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: false });
        expect(failure.message).toMatch(/EACCES.*this user may not open the socket; run as root or as a member of/);
      }
      expect(await fixture.cri.pods.list({ name: spec.name })).toEqual([]);
      // The same client works once it is allowed to.
      await client.waitForReady({ timeoutMs: 20_000 });
    });

    test.skipIf(!possible)("the socket's group is let in, and named to those who are not", async () => {
      await chown(socket, 0, someGroup);
      try {
        const failure = await asNobody(nobody, () => failureOf(CriClient.connect({ endpoint })));
        expect(String(failure)).toMatch(/group 54321, mode 0660; run as root, or as a member of group 54321/);
        const client = await asNobody(someGroup, () => CriClient.connect({ endpoint }));
        expect((await client.version()).runtimeVersion).toContain(fixture.runtime.version);
        await client.close();
      } finally {
        await chown(socket, 0, 0);
      }
    });
  },
  { sequential: true, newestOnly: true },
);
