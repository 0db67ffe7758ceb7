/** Pulls from a registry that requires a password, with credentials from each source of `RegistryCredentials`. */
import { inspect } from "node:util";
import { CriError, type PullSecret, RegistryCredentials, type RegistryCredentialsOptions } from "k8s-cri-client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HelperPrograms } from "../support/helper-programs.js";
import { expectCode, failureOf } from "./helpers/expectations.js";
import { outputOf } from "./helpers/in-container.js";
import { journeys } from "./helpers/journeys.js";
import type { PrivateRegistry } from "./lab/lab.js";

const encode = (text: string) => Buffer.from(text).toString("base64");
const apiVersion = "credentialprovider.kubelet.k8s.io/v1";

journeys("credentials", (fixture) => {
  const { cri, runtime } = fixture;
  const { lab } = runtime;

  describe.skipIf(!lab)("with a registry that requires a password", () => {
    const image = lab?.images.privateBusybox as string;
    const { address, username, password } = (lab?.privateRegistry ?? {}) as PrivateRegistry;
    const auth = encode(`${username}:${password}`);
    let programs: HelperPrograms;

    beforeAll(async () => {
      programs = await HelperPrograms.create();
      await programs.helper("right", username, password);
      await programs.helper("wrong", username, "wrong");
      await programs.program("docker-credential-empty", "echo 'credentials not found in native keychain'; exit 1");
      await programs.program("docker-credential-hanging", "sleep 1000");
      await programs.program("docker-credential-rubbish", `echo 'the password is ${password}'`);
    });
    beforeEach(() => cri.images.remove(image));
    afterAll(async () => {
      await programs[Symbol.asyncDispose]();
      await cri.images.remove(image);
    });

    const load = (options: RegistryCredentialsOptions) =>
      RegistryCredentials.load({ env: programs.env, files: [], helperTimeoutMs: 1_000, ...options });
    const loadFile = async (config: object) => load({ files: [await programs.json("config.json", config)] });
    const helper = (name: string) => loadFile({ credHelpers: { [address]: name } });

    const secret = (type: string, key: string, content: object): PullSecret => ({
      type: `kubernetes.io/${type}`,
      metadata: { name: "pull", namespace: "default" },
      data: { [key]: encode(JSON.stringify(content)) },
    });

    async function plugins(response: object): Promise<RegistryCredentialsOptions["plugins"]> {
      await programs.program("provider", `echo '${JSON.stringify(response)}'`);
      const provider = { name: "provider", matchImages: [address], defaultCacheDuration: "1m", apiVersion };
      const file = {
        apiVersion: "kubelet.config.k8s.io/v1",
        kind: "CredentialProviderConfig",
        providers: [provider],
      };
      return { config: await programs.json("providers.json", file), binDir: programs.folder };
    }

    const sources: Record<string, () => Promise<RegistryCredentials>> = {
      "a Docker configuration": () => loadFile({ auths: { [address]: { auth } } }),
      "user name and password in a Docker configuration": () =>
        loadFile({ auths: { [`http://${address}/v2/`]: { username, password } } }),
      "an old .dockercfg": () => loadFile({ [address]: { auth, email: "a@b" } }),
      "a namespace of Podman's auth.json": () => loadFile({ auths: { [`${address}/private`]: { auth } } }),
      "a helper of the registry": () => helper("right"),
      "the credential store": () => loadFile({ credsStore: "right", auths: { [address]: {} } }),
      "a pull secret": () =>
        load({ secrets: [secret("dockerconfigjson", ".dockerconfigjson", { auths: { [address]: { auth } } })] }),
      "an old pull secret": () => load({ secrets: [secret("dockercfg", ".dockercfg", { [address]: { auth } })] }),
      "a kubelet plugin": async () =>
        load({
          plugins: await plugins({
            apiVersion,
            kind: "CredentialProviderResponse",
            cacheKeyType: "Registry",
            auth: { [address]: { username, password } },
          }),
        }),
    };

    test.each(Object.keys(sources))("pulls with credentials of %s", async (name) => {
      await cri.images.pull(image, { auth: await sources[name]!() });
      expect(await cri.images.exists(image)).toBe(true);
    });

    test("pulls for a container", async () => {
      const credentials = await helper("right");
      const pod = await fixture.sharedPod();
      await using container = await pod.runContainer(fixture.containerSpec({ image }), { auth: credentials });
      expect(await outputOf(container, "echo $EDITION")).toBe("private");
    });

    test("tries the next credentials after a wrong password", async () => {
      const auths = { [`${address}/private`]: { username, password: "wrong" }, [address]: { auth } };
      await cri.images.pull(image, { auth: await loadFile({ auths }) });
      const file = await loadFile({ credHelpers: { [address]: "wrong" }, auths: { [address]: { auth } } });
      await cri.images.remove(image);
      await cri.images.pull(image, { auth: file });
    });

    test("a wrong password from all sources rejects with each source and no password", async () => {
      const secrets = [
        secret("dockerconfigjson", ".dockerconfigjson", {
          auths: { [address]: { username: "other", password: "wrong" } },
        }),
      ];
      const credentials = (await helper("wrong")).withSecrets(secrets);
      const error = await failureOf(cri.images.pull(image, { auth: credentials }));
      expect(error).toMatchObject({ name: "ImagePullError", reason: "Unauthorized", attempts: 2 });
      expect((error as CriError).details).toContain(`${address} in Secret default/pull (Unauthorized)`);
      expect((error as CriError).details).toContain("docker-credential-wrong) (Unauthorized)");
      expect(inspect([error, credentials], { depth: 20, showHidden: true })).not.toMatch(/"wrong"|'wrong'/);
    });

    test.each([
      ["hangs", "hanging", /did not end within 1 s, and was killed/],
      ["prints rubbish", "rubbish", /printed something other than JSON/],
      ["is missing", "missing", /is not installed/],
      ["has no credentials for the registry", "empty", /docker-credential-empty has none/],
    ])("does not pull if the helper of the registry %s", async (_, name, message) => {
      const calls: string[] = [];
      const client = fixture.client({ logger: { debug: (_, { method }) => void calls.push(String(method)) } });
      const error = await expectCode(client.images.pull(image, { auth: await helper(name) }), "NO_CREDENTIALS");
      await client.close();
      expect(error.details).toMatch(message);
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(password);
      expect(calls).toEqual([]);
    });

    test("says that no source has credentials if the registry refuses a pull without them", async () => {
      const auths = { "registry.example": { auth } };
      const error = await failureOf(cri.images.pull(image, { auth: await loadFile({ auths }) }));
      expect(error).toMatchObject({ name: "ImagePullError", reason: "Unauthorized" });
      expect(CriError.is(error) && error.details).toContain("because no source has any");
    });

    test("pulls a public image without credentials", async () => {
      await cri.images.pull(fixture.image, { auth: await helper("right") });
    });
  });
});
