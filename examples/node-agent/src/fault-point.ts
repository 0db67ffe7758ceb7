const [wanted, count = "1"] = process.env.NODE_AGENT_KILL_AT?.split(":") ?? [];
let left = Number(count);

/**
 * A place where tests kill the agent: `NODE_AGENT_KILL_AT="after start"`, or `"after start:2"` for the second time. Does nothing
 * otherwise.
 */
export async function faultPoint(name: string): Promise<void> {
  if (name !== wanted || --left > 0) return;
  process.kill(process.pid, "SIGKILL");
  await new Promise(() => {});
}
