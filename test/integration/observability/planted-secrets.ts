/**
 * Secrets in every place where a program may have some, and a program that uses them. As a program of its own, with the argument
 * `run`, it does so with a fake runtime.
 *
 * @module
 */
import type { CriClient } from "../../../src/index.js";
import { FakeRuntime } from "../../../src/testing/index.js";

export const planted = {
  environment: "planted-env-8f3a",
  password: "planted-password-77c1",
  argument: "planted-argument-19be",
  input: "planted-input-e002",
  output: "planted-output-5d5d",
  metadata: "planted-metadata-4c4c",
  annotation: "planted-annotation-b0b0",
  message: "planted-message-aa31",
  reason: "planted-reason-c9c9",
} as const;

/** Pulls, runs and executes with secrets, successfully and not. */
export async function useEverything(cri: CriClient, runtime: FakeRuntime): Promise<void> {
  const { environment, password, argument, input, annotation } = planted;
  const metadata = { authorization: `Bearer ${planted.metadata}` };
  const ignore = () => {};
  await cri.version({ metadata });
  await cri.images.pull("registry.example/private:1", { auth: { username: "me", password } });
  const pod = await cri.pods.run({ name: "p", annotations: { note: annotation } }, { metadata });
  const container = await cri.runContainerInSandbox(pod, {
    name: "app",
    image: "registry.example/private:1",
    command: ["sleep", argument],
    env: { TOKEN: environment },
  });
  await container.execSync(["login", "--password", argument]);
  await container.execOutput(["login", argument], { input });
  const session = await container.exec(["login", argument]);
  await session.close();
  runtime.failNext("Status", { code: "UNKNOWN", message: `failed with password=${planted.message}` });
  await cri.status().catch(ignore);
  await cri.status({ signal: AbortSignal.abort(new Error(planted.reason)) }).catch(ignore);
  const patch = () => {
    throw new Error(planted.reason);
  };
  await cri.pods.run({ name: "q", patch }).catch(ignore);
  const url = await container.execUrl(["login", argument]);
  if (url.length === 0) throw new Error("the runtime returned no URL");
  await pod.dispose();
}

if (process.argv[2] === "run") {
  await using runtime = await FakeRuntime.start({ exec: () => ({ exitCode: 0, stdout: planted.output }) });
  await using cri = await runtime.connect();
  await useEverything(cri, runtime);
}
