import { expect, test } from "vitest";
import { endpointParts } from "../../../src/tracing/endpoint-parts.js";
import { parseEndpoint } from "../../../src/transport/endpoint.js";

const parse = (text: string) => endpointParts(parseEndpoint(text, { allowInsecureTcp: true }).display);

test.each([
  ["unix:///run/containerd/containerd.sock", "/run/containerd/containerd.sock"],
  ["/run/with space/100%.sock", "/run/with space/100%.sock"],
])("the address of %s is the path of the socket", (endpoint, address) => {
  expect(parse(endpoint)).toEqual({ address, port: undefined, transport: "unix" });
});

test("the address of an abstract socket is its name", () => {
  expect(endpointParts("unix-abstract:50%")).toEqual({ address: "50%", port: undefined, transport: "unix" });
});

test.each([
  ["https://runtime.example:1234", "runtime.example"],
  ["https://[::1]:1234", "::1"],
  ["http://127.0.0.1:1234", "127.0.0.1"],
])("the address of %s is the host", (endpoint, address) => {
  expect(parse(endpoint)).toEqual({ address, port: 1234, transport: "tcp" });
});
