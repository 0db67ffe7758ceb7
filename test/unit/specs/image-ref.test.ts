import { describe, expect, it, test } from "vitest";
import { type ImageInput, splitReference, toImageSpec } from "../../../src/specs/image-ref.js";
import { refusal } from "./refusal.js";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

test.each([
  "nginx",
  "nginx:1.29",
  "docker.io/library/nginx:1.29-Alpine",
  `registry.example:5000/team/app@${digest}`,
  `registry.example/team/app:V1@${digest}`,
  digest,
  "0123456789ab",
  "localhost/app",
  "Registry.Example/app",
  "[::1]:5000/app",
  "a_b/c__d.e-f",
])("accepts %s unchanged", (reference) => {
  expect(toImageSpec(reference, "image")).toEqual({
    image: reference,
    userSpecifiedImage: reference,
    annotations: {},
    runtimeHandler: "",
    imageRef: "",
  });
});

it("accepts annotations and a runtime handler", () => {
  const image: ImageInput = { reference: "nginx", annotations: { a: "b" }, runtimeHandler: "kata" };
  expect(toImageSpec(image, "image")).toMatchObject({
    image: "nginx",
    annotations: { a: "b" },
    runtimeHandler: "kata",
  });
});

test.each<[unknown, RegExp]>([
  ["", /^image: must not be empty/],
  [undefined, /^image: is required/],
  [3, /^image: must be a string/],
  ["nginx latest", /^image: must not contain white space, got "nginx latest"/],
  ["nginx\n", /white space/],
  ["https://docker.io/nginx", /must not begin with a scheme: drop https:\/\//],
  ["docker://nginx", /drop docker:\/\//],
  ["Nginx", /must have a repository in lower case \(library\/nginx\), got "Nginx"/],
  ["docker.io/library/Nginx:1", /lower case \(library\/nginx\)/],
  [{}, /^image.reference: is required/],
  [{ reference: "" }, /^image.reference: must not be empty/],
  [{ reference: "x", annotation: {} }, /^image.annotation: unknown field; did you mean annotations\?/],
  [{ reference: "x", annotations: { a: 1 } }, /^image.annotations.a: must be a string/],
  [["nginx"], /^image: must be an object/],
])("refuses %o", (image, expected) => {
  expect(refusal(() => toImageSpec(image as never, "image"))).toMatch(expected);
});

describe("splitReference", () => {
  test.each([
    ["nginx", "docker.io", "library/nginx"],
    ["nginx:1", "docker.io", "library/nginx"],
    ["team/app", "docker.io", "team/app"],
    ["docker.io/nginx", "docker.io", "library/nginx"],
    ["index.docker.io/team/app", "docker.io", "team/app"],
    ["registry.example/app:1", "registry.example", "app"],
    [`registry.example:5000/team/app:1@${digest}`, "registry.example:5000", "team/app"],
    ["localhost/app", "localhost", "app"],
    ["localhost:5000/app", "localhost:5000", "app"],
  ])("%s", (reference, registry, repository) => {
    expect(splitReference(reference)).toEqual({ registry, repository });
  });
});
