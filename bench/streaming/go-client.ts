/** client-go, the library of crictl and kubectl, in its own process. @module */
import { fileURLToPath } from "node:url";
import { run } from "../../test/runtime/lab/command.js";
import { buildGo } from "../../test/runtime/lab/go.js";
import type { Wire } from "./ours.js";
import { dataPort, type Stage } from "./stage.js";
import type { Transfer } from "./transfer.js";

/** Debian packages of client-go and of the dependencies that a streaming client needs. */
const packages = [
  "golang-github-davecgh-go-spew-dev",
  "golang-github-docker-spdystream-dev",
  "golang-github-fxamacker-cbor-dev",
  "golang-github-go-logr-logr-dev",
  "golang-github-gorilla-websocket-dev",
  "golang-github-json-iterator-go-dev",
  "golang-github-modern-go-concurrent-dev",
  "golang-github-modern-go-reflect2-dev",
  "golang-github-munnerz-goautoneg-dev",
  "golang-github-x448-float16-dev",
  "golang-golang-x-net-dev",
  "golang-golang-x-oauth2-dev",
  "golang-golang-x-sys-dev",
  "golang-golang-x-term-dev",
  "golang-golang-x-text-dev",
  "golang-golang-x-time-dev",
  "golang-gopkg-inf.v0-dev",
  "golang-gopkg-yaml.v2-dev",
  "golang-k8s-api-dev",
  "golang-k8s-apimachinery-dev",
  "golang-k8s-client-go-dev",
  "golang-k8s-klog-dev",
  "golang-k8s-kube-openapi-dev",
  "golang-k8s-sigs-json-dev",
  "golang-k8s-sigs-randfill-dev",
  "golang-k8s-sigs-structured-merge-diff-v6-dev",
  "golang-k8s-sigs-yaml-dev",
  "golang-k8s-streaming-dev",
  "golang-k8s-utils-dev",
];

export class GoClient {
  private constructor(private readonly program: string) {}

  static async build(): Promise<GoClient> {
    return new GoClient(await buildGo(fileURLToPath(new URL("go-client/main.go", import.meta.url)), packages));
  }

  async stdout(stage: Stage, wire: Wire): Promise<Transfer> {
    return await this.#run("stdout", wire, await stage.execUrl(stage.source, false), stage.size);
  }

  async stdin(stage: Stage, wire: Wire, command: string[]): Promise<Transfer> {
    return await this.#run("stdin", wire, await stage.execUrl(command, true), stage.size);
  }

  async forward(stage: Stage): Promise<Transfer> {
    return await this.#run("forward", "spdy", await stage.forwardUrl(), stage.size);
  }

  async #run(what: string, wire: Wire, url: URL, size: number): Promise<Transfer> {
    const output = await run(this.program, [what, wire, url.href, String(size), String(dataPort)], {
      timeoutMs: 600_000,
    });
    return JSON.parse(output) as Transfer;
  }
}
