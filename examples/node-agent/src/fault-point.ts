/**
 * A place where tests kill the agent: `NODE_AGENT_KILL_AT="after start"`, or `"after start:2"` for the second time. Does nothing
 * otherwise.
 */
export async function faultPoint(name: string): Promise<void> {
  if (wanted === undefined || name !== wanted.name || --wanted.count > 0) return;
  process.kill(process.pid, "SIGKILL");
  await new Promise(() => {});
}

const wanted = parse(process.env.NODE_AGENT_KILL_AT);

function parse(given: string | undefined): { name: string; count: number } | undefined {
  if (given === undefined) return undefined;
  const [name = "", count = "1"] = given.split(":");
  return { name, count: Number(count) };
}
