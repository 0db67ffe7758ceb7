/** The integer types of protobuf that CRI uses. */
export type IntegerType = "int32" | "uint32" | "int64" | "uint64";

const ranges: Readonly<Record<IntegerType, readonly [min: bigint, max: bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Returns whether a value is a whole number in the range of the type. */
export function isWithin(type: IntegerType, value: number | bigint): boolean {
  const [min, max] = ranges[type];
  return (typeof value === "bigint" || Number.isInteger(value)) && value >= min && value <= max;
}
