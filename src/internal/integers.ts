/** The integer types of protobuf that CRI uses. */
export type IntegerType = "int32" | "uint32" | "int64" | "uint64";

const ranges: Readonly<Record<IntegerType, readonly [least: bigint, most: bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Whether a value is a whole number that the type can hold. */
export function isWithin(type: IntegerType, value: number | bigint): boolean {
  const [least, most] = ranges[type];
  return (typeof value === "bigint" || Number.isInteger(value)) && value >= least && value <= most;
}
