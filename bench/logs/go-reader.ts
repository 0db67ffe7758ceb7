/** The log reader of crictl and the kubelet, as a program of its own. @module */
import { fileURLToPath } from "node:url";
import { run } from "../../test/runtime/lab/command.js";
import { buildGo } from "../support/go.js";

/** k8s.io/cri-client and what it imports. */
const packages = [
  "golang-github-cespare-xxhash-v2-dev",
  "golang-github-fsnotify-fsnotify-dev",
  "golang-github-go-logr-logr-dev",
  "golang-github-go-logr-stdr-dev",
  "golang-github-golang-protobuf-1-5-dev",
  "golang-golang-x-net-dev",
  "golang-golang-x-sys-dev",
  "golang-golang-x-text-dev",
  "golang-google-genproto-dev",
  "golang-google-grpc-dev",
  "golang-google-protobuf-dev",
  "golang-k8s-component-base-dev",
  "golang-k8s-cri-api-dev",
  "golang-k8s-cri-client-dev",
  "golang-k8s-klog-dev",
  "golang-k8s-utils-dev",
  "golang-opentelemetry-contrib-dev",
  "golang-opentelemetry-otel-dev",
];

/** What the program prints. */
export interface GoResult {
  lines: number;
  seconds: number;
  cpuSeconds: number;
  maxRssBytes: number;
  lateMs?: number[];
}

export class GoReader {
  private constructor(private readonly program: string) {}

  static async build(): Promise<GoReader> {
    return new GoReader(await buildGo(fileURLToPath(new URL("go-reader/main.go", import.meta.url)), packages));
  }

  /** Reads a log, or its last lines, and counts. */
  async read(path: string, tailLines?: number): Promise<GoResult> {
    return JSON.parse(await run(this.program, ["read", path, String(tailLines ?? -1)], { timeoutMs: 600_000 }));
  }

  /** Follows a log until that many lines have come, and says how late each was. */
  async follow(path: string, lines: number): Promise<GoResult> {
    return JSON.parse(await run(this.program, ["follow", path, String(lines)], { timeoutMs: 600_000 }));
  }
}
