/** Installation, the rights of the service accounts, and removal, with kubectl on a whole API server. */
import { CoreV1Api, CustomObjectsApi } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiServer } from "../../cluster/api-server.js";
import { asAccount, configOf, install, uninstall } from "../../cluster/install.js";
import { kubectl } from "../../cluster/kubectl.js";
import { Api, results, tasks } from "../../src/api/api.js";

let server: ApiServer;

beforeAll(async () => {
  server = await ApiServer.start("full");
}, 1_200_000);
afterAll(() => server?.[Symbol.asyncDispose]());

const object = { namespace: "default", name: "some" };

test("is installed and removed without a trace", async () => {
  const ours = async () => {
    const kinds = (await kubectl(["api-resources", "--verbs=list", "-o", "name"], server)).trim().split("\n");
    const names = (await kubectl(["get", kinds.join(), "-A", "-o", "name"], server)).trim().split("\n");
    return names.filter((name) => /node-?task/.test(name)).sort();
  };
  expect(await ours()).toEqual([]);
  await install(server);
  expect(await ours()).toEqual(
    expect.arrayContaining(["daemonset.apps/node-task-agent", "namespace/node-task-system"]),
  );
  await uninstall(server);
  await expect.poll(ours, { timeout: 60_000, interval: 500 }).toEqual([]);
}, 180_000);

test("the service accounts may do what the programs do, and nothing else", async () => {
  const admin = await install(server);
  for (const account of ["node-task-agent", "node-task-controller"]) {
    const config = configOf(await asAccount(server, admin, account));
    const core = config.makeApiClient(CoreV1Api);
    const forbidden = expect.objectContaining({ code: 403 });
    await expect(core.listSecretForAllNamespaces()).rejects.toEqual(forbidden);
    await expect(core.listPodForAllNamespaces()).rejects.toEqual(forbidden);
    await expect(core.listNode()).rejects.toEqual(forbidden);
    await expect(core.createNamespace({ body: { metadata: { name: "x" } } })).rejects.toEqual(forbidden);
    const api = new Api(config);
    await expect(api.create(tasks, "default", { metadata: object, spec: {} })).rejects.toEqual(forbidden);
    const others = config.makeApiClient(CustomObjectsApi);
    await expect(
      others.deleteCollectionNamespacedCustomObject({ ...results, version: "v1", namespace: "default" }),
    ).rejects.toEqual(forbidden);
    if (account === "node-task-controller") continue;
    await expect(api.delete(tasks, object)).rejects.toEqual(forbidden);
    await expect(api.merge(tasks, object, { spec: {} })).rejects.toEqual(forbidden);
  }
});

test("kubectl shows tasks by their short name, and explains their fields", async () => {
  const api = new Api(await install(server));
  await api.create(tasks, "default", { metadata: object, spec: { template: { spec: {} } } });
  const columns = /^NAME +MODE +NODES +UPDATED +READY +SUCCEEDED +FAILED +AGE\nsome +Once /;
  expect(await kubectl(["get", "nt"], server)).toMatch(columns);
  // The API server publishes the schema some seconds after it serves the resource.
  await expect
    .poll(() => kubectl(["explain", "nodetasks.spec.mode"], server).catch(String), { timeout: 60_000, interval: 500 })
    .toContain("Interval runs it every intervalSeconds.");
  await api.delete(tasks, object);
});
