import { InvalidInputError } from "../../../errors.js";

/** Returns the number of a port that a probe or hook names. @throws InvalidInputError if the container has no port of that name */
export function probePort(port: number | string, ports: Readonly<Record<string, number>>): number {
  if (typeof port === "number") return port;
  const byName = Object.hasOwn(ports, port) ? ports[port] : undefined;
  if (byName !== undefined) return byName;
  // As the kubelet does, accept a number in quotes.
  const number = Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new InvalidInputError({
    field: "port",
    message: "must be a number or the name of a port of the container",
    value: port,
  });
}
