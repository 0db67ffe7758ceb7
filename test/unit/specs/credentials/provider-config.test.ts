import { expect, it, test } from "vitest";
import { readProviderConfig } from "../../../../src/specs/credentials/provider-config.js";
import { refusal } from "../refusal.js";

const provider = {
  name: "ecr",
  matchImages: ["*.dkr.ecr.*.example", "registry.example:5000/team"],
  defaultCacheDuration: "12h",
  apiVersion: "credentialprovider.kubelet.k8s.io/v1",
};
const configOf = (changes: object) => ({
  apiVersion: "kubelet.config.k8s.io/v1",
  kind: "CredentialProviderConfig",
  providers: [{ ...provider, ...changes }],
});

it("reads all fields", () => {
  const env = [{ name: "AWS_PROFILE", value: "team" }, { name: "EMPTY" }];
  expect(readProviderConfig(configOf({ args: ["get", ""], env }), "config")).toEqual([
    {
      name: "ecr",
      matchImages: provider.matchImages,
      defaultCacheMs: 43_200_000,
      apiVersion: "credentialprovider.kubelet.k8s.io/v1",
      args: ["get", ""],
      env: { AWS_PROFILE: "team", EMPTY: "" },
    },
  ]);
});

test.each(["v1", "v1beta1", "v1alpha1"])("reads version %s", (version) => {
  const config = {
    ...configOf({ apiVersion: `credentialprovider.kubelet.k8s.io/${version}` }),
    apiVersion: `kubelet.config.k8s.io/${version}`,
  };
  expect(readProviderConfig(config, "config")).toHaveLength(1);
});

test.each<[object, RegExp]>([
  [
    { tokenAttributes: { serviceAccountTokenAudience: "x" } },
    /\.tokenAttributes: is not supported: only a kubelet can/,
  ],
  [{ name: "" }, /\.name: must not be empty$/],
  [{ name: "../ecr" }, /\.name: must be the name of a program, without slashes and spaces, got "..\/ecr"$/],
  [{ name: "a b" }, /\.name: must be the name of a program/],
  [{ name: ".." }, /\.name: must be the name of a program/],
  [{ matchImages: [] }, /\.matchImages: must have at least one pattern$/],
  [{ matchImages: undefined }, /\.matchImages: must have at least one pattern$/],
  [{ matchImages: ["https://registry.example"] }, /\.matchImages\[0\]: must not begin with a scheme/],
  [{ matchImages: ["registry[12].example"] }, /\.matchImages\[0\]: may use only \* and \? as wildcards/],
  [{ matchImages: ["registry.example/*"] }, /may have wildcards only in the host, not in the port or the path/],
  [{ matchImages: ["registry.example:*"] }, /may have wildcards only in the host/],
  [{ defaultCacheDuration: undefined }, /\.defaultCacheDuration: is required$/],
  [{ defaultCacheDuration: 5 }, /\.defaultCacheDuration: must be a string/],
  [{ defaultCacheDuration: "1d" }, /\.defaultCacheDuration: must be a duration such as "12h" or "1m30s", got "1d"$/],
  [{ defaultCacheDuration: "-1s" }, /\.defaultCacheDuration: must not be negative/],
  [{ apiVersion: "v1" }, /\.apiVersion: must be credentialprovider.kubelet.k8s.io\/v1, .*, got "v1"$/],
  [{ args: "get" }, /\.args: must be an array/],
  [{ env: [{ name: "A=B" }] }, /\.env\[0\].name: must not contain '='/],
  [{ env: [{ name: "A", value: 5 }] }, /\.env\[0\].value: must be a string; put it in quotes$/],
  [{ env: [{ name: "A", valu: "hunter2" }] }, /\.env\[0\].valu: unknown field; did you mean value\?$/],
  [{ matchImage: [] }, /\.matchImage: unknown field; did you mean matchImages\?$/],
])("refuses %o", (changes, message) => {
  const shown = refusal(() => readProviderConfig(configOf(changes), "config"));
  expect(shown).toMatch(message);
  expect(shown).toMatch(/^config\.providers\[0\]/);
  expect(shown).not.toContain("hunter2");
});

test.each<[unknown, RegExp]>([
  [null, /^config: must be an object/],
  [{}, /^config.apiVersion: is required$/],
  [{ ...configOf({}), apiVersion: "v1" }, /^config.apiVersion: must be kubelet.config.k8s.io\/v1, /],
  [{ ...configOf({}), kind: "KubeletConfiguration" }, /^config.kind: must be CredentialProviderConfig/],
  [{ ...configOf({}), providers: [] }, /^config.providers: must have at least one provider$/],
  [{ ...configOf({}), providers: undefined }, /^config.providers: must have at least one provider$/],
])("refuses the file %o", (config, message) => {
  expect(refusal(() => readProviderConfig(config, "config"))).toMatch(message);
});
