/** The program of every cell: runs a pod, follows the log of its container, and executes a command in it. */
import { CriClient } from "k8s-cri-client";

/**
 * Runs the journey on the runtime of `runtime.ts`.
 *
 * @param logDirectory an existing directory for the pod's logs
 * @returns what the container wrote, the output of the command, and the exit code
 */
export async function journey(endpoint: string, logDirectory: string): Promise<string> {
  const cri = await CriClient.connect({ endpoint });
  try {
    const pod = await cri.pods.run({ name: "matrix", labels: { app: "matrix" }, logDirectory });
    try {
      const container = await pod.runContainer({ name: "main", image: "busybox:1.37" });
      const results: (string | number | undefined)[] = [];
      for await (const { stream, text } of container.logs({ follow: true })) {
        results.push(`${stream}:${text}`);
        if (text !== "two") continue;
        // The container writes the rest of its log after this command.
        const { exitCode, stdout } = await container.execOutput(["upper"], { input: "three" });
        results.push(`${exitCode}:${stdout}`);
      }
      results.push((await container.wait()).exitCode);
      return results.join(" ");
    } finally {
      await pod.dispose();
    }
  } finally {
    await cri.close();
  }
}
