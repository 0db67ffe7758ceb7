import { connectivityState } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { channelDefaults, createRuntimeChannel, localDefaults } from "../../../src/transport/channel.js";
import { parseEndpoint } from "../../../src/transport/endpoint.js";

describe("createRuntimeChannel", () => {
  it.each([
    ["/run/x y.sock", "linux", "unix:///run/x y.sock"],
    ["//./pipe/x", "win32", "unix:\\\\.\\pipe\\x"],
    ["https://node7:1", "linux", "dns:node7:1"],
    ["https://10.0.0.7:1", "linux", "ipv4:10.0.0.7:1"],
    ["https://[::1]:1", "linux", "ipv6:[::1]:1"],
  ] as const)("does not connect before the first call: %s", (text, platform, target) => {
    const channel = createRuntimeChannel(parseEndpoint(text, { platform }));
    expect(channel.getTarget()).toBe(target);
    expect(channel.getConnectivityState(false)).toBe(connectivityState.IDLE);
    channel.close();
  });

  it("checks the credentials at once", () => {
    const endpoint = parseEndpoint("https://node7:1");
    expect(() => createRuntimeChannel(endpoint, { tls: { ca: "nonsense" } })).toThrow(/tls\.ca: is not PEM/);
  });

  it("ignores credentials for a unix socket", () => {
    const endpoint = parseEndpoint("/run/x.sock", { platform: "linux" });
    createRuntimeChannel(endpoint, { tls: { ca: "nonsense" } }).close();
  });
});

it("the defaults are the documented ones", () => {
  expect(channelDefaults).toEqual({
    "grpc.max_receive_message_length": 83_886_080,
    "grpc.max_send_message_length": -1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 3_000,
    "grpc.min_reconnect_backoff_ms": 5_000,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_channelz": 0,
    "grpc-node.flow_control_window": 1_048_576,
  });
  expect(localDefaults).toEqual({ "grpc.max_reconnect_backoff_ms": 500 });
});
