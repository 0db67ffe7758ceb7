import { expect, test } from "vitest";
import { spanAttributes } from "../../../src/otel/attributes.js";

const hex = "0123456789abcdef".repeat(4);

/** Returns the attributes of an operation about an image. */
function imageAttributes(image: string) {
  const operation = {
    kind: "workflow",
    name: "images.pull",
    endpoint: "unix:///run/c.sock",
    subject: { image },
    events: [],
  };
  const attributes = Object.entries(spanAttributes(operation as never));
  return Object.fromEntries(attributes.filter(([key]) => key.startsWith("container.image.")));
}

test.each([
  ["busybox", { "container.image.name": "busybox" }],
  ["registry:5000/team/app:1.2", { "container.image.name": "registry:5000/team/app", "container.image.tags": ["1.2"] }],
  [
    `registry/app:1@sha256:${hex}`,
    {
      "container.image.name": "registry/app",
      "container.image.tags": ["1"],
      "container.image.repo_digests": [`registry/app@sha256:${hex}`],
    },
  ],
  [`sha256:${hex}`, { "container.image.id": `sha256:${hex}` }],
  [hex, { "container.image.id": hex }],
])("the image %s has the attributes of its reference or id", (image, attributes) => {
  expect(imageAttributes(image)).toEqual(attributes);
});
