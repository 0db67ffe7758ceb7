import type {
  HandlerManifest,
  HookManifest,
  HttpGetManifest,
  LifecycleManifest,
  ProbeManifest,
} from "../../manifest/container.js";
import { headerName, portName } from "../rules/names.js";
import { stopSignalName } from "../rules/stop-signal.js";
import { list } from "./collections.js";
import { exactlyOne, object, required } from "./object.js";
import { integer, maxInt32, oneOf, portOrName, secretString, string } from "./scalars.js";
import type { Schema } from "./schema.js";

type Exec = NonNullable<HandlerManifest["exec"]>;
type TcpSocket = NonNullable<HandlerManifest["tcpSocket"]>;
type Header = NonNullable<HttpGetManifest["httpHeaders"]>[number];

const port = portOrName(portName);

const handlers = {
  exec: object<Exec>({ command: required(list(string(), { min: 1 })) }),
  httpGet: object<HttpGetManifest>({
    port: required(port),
    path: string(),
    host: string(),
    scheme: oneOf<"HTTP" | "HTTPS">({ HTTP: true, HTTPS: true }),
    // Headers contain credentials.
    httpHeaders: list(
      object<Header>({ name: required(string(headerName)), value: required(secretString(), { mayBeEmpty: true }) }),
    ),
  }),
  tcpSocket: object<TcpSocket>({ port: required(port), host: string() }),
};

const count = integer(0, maxInt32);

/** A probe. 0 stands for the default of a number. */
export const probe: Schema<ProbeManifest> = object<ProbeManifest>(
  {
    ...handlers,
    grpc: object<NonNullable<ProbeManifest["grpc"]>>({ port: required(integer(1, 65_535)), service: string() }),
    initialDelaySeconds: count,
    timeoutSeconds: count,
    periodSeconds: count,
    successThreshold: count,
    failureThreshold: count,
    terminationGracePeriodSeconds: integer(1, maxInt32),
  },
  {},
  exactlyOne("exec", "httpGet", "tcpSocket", "grpc"),
);

const hook = object<HookManifest>(
  { ...handlers, sleep: object<NonNullable<HookManifest["sleep"]>>({ seconds: required(integer(0, maxInt32)) }) },
  {},
  exactlyOne("exec", "httpGet", "tcpSocket", "sleep"),
);

export const lifecycle: Schema<LifecycleManifest> = object<LifecycleManifest>({
  postStart: hook,
  preStop: hook,
  stopSignal: string(stopSignalName),
});
