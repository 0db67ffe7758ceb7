import { expect, test } from "vitest";
import { CreateContainerRequest } from "../../../src/proto.js";
import { checkRequest } from "../../../src/rpcs/checked-request.js";

test.each([
  [{ config: 5 }, "request.config: must be a message object"],
  [{ config: { envs: {} } }, "request.config.envs: must be an array"],
  [{ config: { envs: [{ key: "A" }, { key: 5 }] } }, "request.config.envs[1].key: must be a string"],
  // biome-ignore lint/suspicious/noSparseArray: a hole would be sent as an empty string
  [{ config: { args: ["a", , "b"] } }, "request.config.args[1]: must be a string"],
  [{ config: { labels: { "a b": 5 } } }, 'request.config.labels["a b"]: must be a string'],
  [{ config: { labels: { app: 5 } } }, "request.config.labels.app: must be a string"],
  [
    { config: { labels: JSON.parse('{ "__proto__": "x" }') } },
    "request.config.labels.__proto__: this key cannot be sent",
  ],
])("refuses %j, and names the field", (request, message) => {
  expect(() => checkRequest(CreateContainerRequest, request)).toThrow(message);
});

test("accepts a message without its optional fields", () => {
  checkRequest(CreateContainerRequest, { config: { linux: null, image: undefined, args: [] }, unknown: 5 });
});
