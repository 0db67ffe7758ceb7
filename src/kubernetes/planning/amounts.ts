import { fieldPath } from "../../internal/field-names.js";
import { milliUnits, wholeUnits } from "../../specs/quantity.js";
import type { ResourceList, ResourcesManifest } from "../manifest/container.js";

/** Amounts by the name of the resource: CPU in millicores, everything else in whole units (bytes). Fractions are rounded up. */
export type Amounts = ReadonlyMap<string, bigint>;

/** The requests and limits of a container or a pod. */
export interface ResourceAmounts {
  requests: Amounts;
  limits: Amounts;
}

/** Reads a list of resources. */
export function amountsOf(list: ResourceList | undefined, path: string): Amounts {
  return new Map(
    Object.entries(list ?? {}).map(([name, quantity]) => {
      const convert = name === "cpu" ? milliUnits : wholeUnits;
      return [name, convert(quantity, fieldPath(path, name))];
    }),
  );
}

/** Reads the resources of a container. As in the Kubernetes API, a request that is not set is the limit. */
export function containerAmounts(resources: ResourcesManifest | undefined, path: string): ResourceAmounts {
  const limits = amountsOf(resources?.limits, `${path}.limits`);
  return { limits, requests: new Map([...limits, ...amountsOf(resources?.requests, `${path}.requests`)]) };
}

export function sum(amounts: Iterable<Amounts>): Amounts {
  return combine(amounts, (a, b) => a + b);
}

export function maximum(amounts: Iterable<Amounts>): Amounts {
  return combine(amounts, (a, b) => (a > b ? a : b));
}

function combine(amounts: Iterable<Amounts>, both: (a: bigint, b: bigint) => bigint): Amounts {
  const result = new Map<string, bigint>();
  for (const [name, amount] of [...amounts].flatMap((list) => [...list])) {
    const known = result.get(name);
    result.set(name, known === undefined ? amount : both(known, amount));
  }
  return result;
}
