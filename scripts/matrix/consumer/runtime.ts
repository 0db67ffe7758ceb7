/** The fake runtime on which the journey runs. */
import { text } from "node:stream/consumers";
import { FakeRuntime } from "k8s-cri-client/testing";

/** Starts a runtime whose container writes the rest of its log when a command was executed in it. */
export function startRuntime(): Promise<FakeRuntime> {
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return FakeRuntime.start({
    images: ["busybox:1.37"],
    run: () => ({
      program: async ({ stdout, stderr }) => {
        stdout.write("one\ntwo\n");
        await finished;
        stderr.write("four\n");
        return 7;
      },
    }),
    exec:
      () =>
      async ({ stdin, stdout }) => {
        stdout.write((await text(stdin)).toUpperCase());
        finish();
        return 0;
      },
  });
}

/** The result of the journey on this runtime. */
export const expected = "stdout:one stdout:two 0:THREE stderr:four 7";
