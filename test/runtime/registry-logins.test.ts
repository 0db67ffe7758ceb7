/** Pulls from registries with different credentials and with tokens, some of which are revoked. */
import { CriError, type PullSecret, RegistryCredentials } from "k8s-cri-client";
import { expect, test } from "vitest";
import { HelperPrograms } from "../support/helper-programs.js";
import { expectCode, failureOf } from "./helpers/expectations.js";
import { labJourneys } from "./helpers/journeys.js";
import { LoginRegistry } from "./helpers/login-registry.js";

labJourneys("registry-logins", (fixture, lab) => {
  const { cri } = fixture;

  const credentialsFor = (auths: object) =>
    RegistryCredentials.fromSecrets([
      {
        type: "kubernetes.io/dockerconfigjson",
        stringData: { ".dockerconfigjson": JSON.stringify({ auths }) },
      } satisfies PullSecret,
    ]);

  test("two registries with different credentials get only their own", async () => {
    const [one, two] = [
      { username: "one", password: "first" },
      { username: "two", password: "second" },
    ];
    await using first = await LoginRegistry.start(lab.registriesFolder, { password: one });
    await using second = await LoginRegistry.start(lab.registriesFolder, { password: two });
    const auth = credentialsFor({ [first.address]: one, [second.address]: two });
    const pulled = await cri.images.pullAll([first.reference, second.reference], { auth });
    expect(pulled.map(({ state }) => state)).toEqual(["pulled", "pulled"]);
    const swapped = credentialsFor({ [first.address]: two, [second.address]: one });
    for (const { reference } of [first, second]) {
      await cri.images.remove(reference);
      const error = await failureOf(cri.images.pull(reference, { auth: swapped }));
      expect(error).toMatchObject({ name: "ImagePullError", reason: "Unauthorized", attempts: 1 });
    }
  });

  test("an identity token is accepted until it is revoked, and the next credentials are then tried", async () => {
    await using registry = await LoginRegistry.start(lab.registriesFolder, { identityToken: "granted" });
    const { address, reference, logins } = registry;
    const auth = credentialsFor({
      [`${address}/hostile`]: { identitytoken: "granted" },
      [address]: { identitytoken: "renewed" },
    });
    await cri.images.pull(reference, { auth });
    await cri.images.remove(reference);

    logins.identityToken = "renewed";
    await cri.images.pull(reference, { auth });
    await cri.images.remove(reference);

    delete logins.identityToken;
    const error = await failureOf(cri.images.pull(reference, { auth }));
    expect(error).toMatchObject({ name: "ImagePullError", reason: "Unauthorized", attempts: 2 });
    expect(CriError.is(error) && error.details).toContain(`tried 2: ${address}/hostile in secrets[0] (Unauthorized)`);
    expect(String(error)).not.toMatch(/granted|renewed/);
  });

  test("a credential helper may return an identity token", async () => {
    await using registry = await LoginRegistry.start(lab.registriesFolder, { identityToken: "granted" });
    await using programs = await HelperPrograms.create();
    await programs.helper("token", "<token>", "granted");
    const files = [await programs.json("config.json", { credsStore: "token" })];
    const auth = await RegistryCredentials.load({ env: programs.env, files });
    await cri.images.pull(registry.reference, { auth });
    await cri.images.remove(registry.reference);
  });

  test("a registry token is refused before the pull, because containerd ignores it", async () => {
    await using registry = await LoginRegistry.start(lab.registriesFolder, { identityToken: "granted" });
    const { address, reference } = registry;
    const auth = { registryToken: "granted" };
    const error = await expectCode(cri.images.pull(reference, { auth }), "INVALID_INPUT");
    expect(error.details).toMatch(
      /^auth.registryToken: is ignored by containerd, which would pull without credentials/,
    );
    const credentials = credentialsFor({ [address]: { registrytoken: "granted" } });
    await expectCode(cri.images.pull(reference, { auth: credentials }), "NO_CREDENTIALS");
  });
});
