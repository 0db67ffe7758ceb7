/**
 * Returns a value that all copies of this package in the process share. A program that both imports and requires the package has
 * two copies.
 */
export function processWide<T extends object>(name: string, create: () => T): T {
  const values = globalThis as unknown as Record<symbol, T | undefined>;
  const key = Symbol.for(`k8s-cri-client:${name}`);
  values[key] ??= create();
  return values[key];
}
