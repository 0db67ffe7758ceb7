import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { otherFiles } from "./test/conformance/known-differences.js";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Files that mock a module. In a process that has loaded the module for another file, the mock would have no effect. */
const mocking = ["test/unit", "test/integration"].flatMap((folder) =>
  readdirSync(source(folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".test.ts") && readFileSync(source(path), "utf8").includes("vi.mock(")),
);

/** Files that need their own process, because they mock a module or count resources of the whole process. */
const alone = [
  ...mocking,
  "test/unit/streaming/{tls,websocket/flow,spdy/connection}.test.ts",
  "test/unit/resources/sessions/copy/{hostile,swapper,unpack}.test.ts",
  "test/integration/{connecting,fake-runtime,fake-sessions,hostile-streams,soak}.test.ts",
];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^k8s-cri-client$/, replacement: source("./src/index.ts") },
      { find: /^k8s-cri-client\/otel$/, replacement: source("./src/otel/index.ts") },
      { find: /^k8s-cri-client\/prometheus$/, replacement: source("./src/prometheus/index.ts") },
      { find: /^k8s-cri-client\/proto$/, replacement: source("./src/proto.ts") },
      { find: /^k8s-cri-client\/kubernetes$/, replacement: source("./src/kubernetes/index.ts") },
      { find: /^k8s-cri-client\/crictl$/, replacement: source("./src/crictl/index.ts") },
      { find: /^k8s-cri-client\/testing$/, replacement: source("./src/testing/index.ts") },
    ],
  },
  test: {
    testTimeout: 30_000,
    // Far more than needed, even on a busy machine. With the default of one second, a slow machine fails tests.
    expect: { poll: { timeout: 10_000 } },
    // More workers than vitest's default (processors minus one), because most tests wait more than they compute.
    maxWorkers: 4,
    projects: [
      // Without isolation, the files of a worker share loaded modules: loading them takes longer than most of the tests.
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], exclude: alone, isolate: false } },
      {
        extends: true,
        test: { name: "integration", include: ["test/integration/**/*.test.ts"], exclude: alone, isolate: false },
      },
      { extends: true, test: { name: "alone", include: alone } },
      {
        extends: true,
        test: {
          name: "reliability",
          include: ["test/reliability/**/*.test.ts"],
          // Sequences run concurrently, because they mostly wait.
          maxConcurrency: 32,
        },
      },
      { extends: true, test: { name: "package", include: ["test/package/**/*.test.ts"], testTimeout: 300_000 } },
      {
        extends: true,
        test: {
          name: "node-agent",
          include: ["examples/node-agent/test/{unit,short}/**/*.test.ts"],
          testTimeout: 120_000,
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "node-agent-journeys",
          include: ["examples/node-agent/test/journey/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          globalSetup: ["test/runtime/global-setup.ts"],
          // All files share the runtimes.
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: "runtime",
          include: ["test/runtime/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          globalSetup: ["test/runtime/global-setup.ts"],
          // All files share the runtimes, and some files restart them.
          fileParallelism: false,
          // Loading the modules for each of two dozen files would take a minute and a half.
          isolate: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "conformance",
          include: ["test/runtime/**/*.test.ts"],
          exclude: Object.keys(otherFiles).map((name) => `test/runtime/${name}.test.ts`),
          testTimeout: 60_000,
          globalSetup: ["test/conformance/global-setup.ts"],
          setupFiles: ["test/conformance/setup.ts"],
          runner: "test/conformance/runner.ts",
          isolate: false,
          // Each worker starts its own fakes. Journeys wait more than they compute.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
