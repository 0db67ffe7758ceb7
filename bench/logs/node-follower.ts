/**
 * Follows many logs. Its counterpart in Go is `go-follower/main.go`.
 *
 *     node follower.js FOLDER COUNT
 *
 * Follows FOLDER/N/0.log for each N below COUNT, and prints `ready`. Each line contains the time at which it was written, in
 * milliseconds since the epoch. When the input ends, prints the delays of all lines as JSON.
 *
 * @module
 */
import { join } from "node:path";
import { readLogFile } from "k8s-cri-client";

const [folder = "", count = ""] = process.argv.slice(2);
const stop = new AbortController();
const delays: number[] = [];
let waiting = 0;

async function follow(path: string): Promise<void> {
  let onWait = () => {
    if (++waiting === Number(count)) console.log("ready");
    onWait = () => {};
  };
  const options = { follow: true, signal: stop.signal, onWait: () => onWait() };
  for await (const { text } of readLogFile(path, options)) {
    delays.push(performance.timeOrigin + performance.now() - Number(text));
  }
}

const followers = Array.from({ length: Number(count) }, (_, index) => follow(join(folder, String(index), "0.log")));
process.stdin.resume().on("end", () => stop.abort());
await Promise.allSettled(followers);
console.log(JSON.stringify(delays));
