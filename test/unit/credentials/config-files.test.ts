import { expect, test } from "vitest";
import { userFiles } from "../../../src/credentials/config-files.js";

const paths = (env: NodeJS.ProcessEnv) => userFiles(env, 1000).map((group) => group.map(({ path }) => path));

test("the files of a user without a login session are those that Podman uses then", () => {
  expect(paths({ HOME: "/home/user" })).toEqual([
    ["/home/user/.docker/config.json", "/home/user/.dockercfg"],
    ["/run/containers/1000/auth.json"],
    ["/home/user/.config/containers/auth.json"],
  ]);
});

test("only REGISTRY_AUTH_FILE must exist", () => {
  const files = userFiles({ HOME: "/home/user", REGISTRY_AUTH_FILE: "/auth.json" }).flat();
  expect(files.filter(({ isRequired }) => isRequired)).toEqual([{ path: "/auth.json", isRequired: true }]);
});
