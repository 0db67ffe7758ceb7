/** Clear errors for a user without permission to open the runtime's socket. */
import { chown } from "node:fs/promises";
import { CriClient, diagnose, EndpointError } from "k8s-cri-client";
import { expect, test } from "vitest";
import { criFailureOf, failureOf } from "./helpers/expectations.js";
import { journeys } from "./helpers/journeys.js";

const nobody = 65_534;
/** A group without members. */
const emptyGroup = 54_321;

/** Runs `work` as the user nobody, as a member of one group only. */
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

// The user id belongs to the whole process, so the runtimes are tested one at a time.
journeys(
  "socket-access",
  (fixture) => {
    const { endpoint, lab } = fixture.runtime;
    const socket = endpoint.replace(/^unix:\/\//, "");
    const possible = lab !== undefined && process.geteuid?.() === 0;

    test.skipIf(!possible)("the error of connect() names the owner and mode of the socket, and a remedy", async () => {
      const failure = await asNobody(nobody, () => failureOf(CriClient.connect({ endpoint })));
      expect(failure).toBeInstanceOf(EndpointError);
      expect(failure).toMatchObject({ code: "UNAVAILABLE" });
      expect(String(failure)).toContain(
        `permission denied: ${socket} belongs to user root and group root, mode 0660; run as root`,
      );
    });

    test.skipIf(!possible)("diagnose() names who may use the socket, and the command that permits it", async () => {
      await chown(socket, 0, emptyGroup);
      try {
        const { findings } = await asNobody(nobody, () => diagnose({ endpoint }));
        expect(findings.filter(({ status }) => status === "failure")).toMatchObject([
          { check: "socket", found: expect.stringMatching(/permission denied: .*mode 0660/) },
        ]);
        const commands = findings.find(({ check }) => check === "socket")?.commands;
        expect(commands).toEqual(["sudo npx k8s-cri-client doctor", `sudo usermod -aG ${emptyGroup} "$USER"`]);
      } finally {
        await chown(socket, 0, 0);
      }
    });

    test.skipIf(!possible)("a call rejects with the permission error and has no effect", async () => {
      await using client = CriClient.lazy({ endpoint });
      const spec = fixture.podSpec();
      const [read, creation] = await asNobody(nobody, async () => [
        await criFailureOf(client.version()),
        await criFailureOf(client.pods.run(spec, { timeoutMs: 2_000 })),
      ]);
      for (const failure of [read!, creation!]) {
        expect(failure).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: false });
        expect(failure.message).toMatch(/EACCES.*this user may not open the socket; run as root or as a member of/);
      }
      expect(await fixture.cri.pods.list({ name: spec.name })).toEqual([]);
      // The same client works once it has permission.
      await client.waitForReady({ timeoutMs: 20_000 });
    });

    test.skipIf(!possible)(
      "members of the socket's group can connect, and the error for others names the group",
      async () => {
        await chown(socket, 0, emptyGroup);
        try {
          const failure = await asNobody(nobody, () => failureOf(CriClient.connect({ endpoint })));
          expect(String(failure)).toMatch(/group 54321, mode 0660; run as root, or as a member of group 54321/);
          const client = await asNobody(emptyGroup, () => CriClient.connect({ endpoint }));
          expect((await client.version()).runtimeVersion).toContain(fixture.runtime.version);
          await client.close();
        } finally {
          await chown(socket, 0, 0);
        }
      },
    );
  },
  { sequential: true, newestOnly: true },
);
