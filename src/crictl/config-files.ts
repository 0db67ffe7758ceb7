import { randomUUID } from "node:crypto";
import { InvalidInputError } from "../errors.js";
import { fieldPath } from "../internal/field-names.js";
import type { MessageType } from "../internal/message-shape.js";
import { isRecord } from "../internal/record.js";
import { typeName } from "../internal/type-name.js";
import { stringifyExactly } from "../json/exact-json.js";
import { goDialect, messageToExactGoJson } from "../json/go-json.js";
import { type Dialect, readMap } from "../json/read-message.js";
import { ContainerConfig, PodSandboxConfig } from "../proto.js";
import { CrictlDocument } from "./document.js";
import { type CrictlConfigOptions, leniencyOf } from "./read-options.js";

/**
 * Reads the configuration of a pod from a file of `crictl runp` and `crictl run`, for `cri.pods.run`.
 *
 * ```ts
 * await using pod = await cri.pods.run(fromCrictlPodConfig(await readFile("pod.yaml", "utf8")));
 * ```
 *
 * The text is JSON or YAML, read by crictl's rules: YAML 1.1, and Go's JSON, in which enums are numbers. Keys may also be in
 * camelCase, enums may be names, and 64-bit numbers may be strings of digits, as in protobuf's JSON. As in crictl, a missing
 * `metadata.uid` becomes a random UUID, and name and namespace are required.
 *
 * @param file the text, or the result of parsing it
 * @throws InvalidDocumentError with all faults: each has its path, and its line and column in the text. Unlike in crictl, unknown
 *   fields are faults unless {@link CrictlConfigOptions.onIgnored} is set.
 */
export function fromCrictlPodConfig(file: string | object, options: CrictlConfigOptions = {}): PodSandboxConfig {
  const { document, message } = readConfig("crictl pod config", PodSandboxConfig, file, options);
  const { metadata } = message;
  if (!metadata?.name) document.report("metadata.name", "is required");
  if (!metadata?.namespace) document.report("metadata.namespace", "is required");
  document.finish();
  if (metadata) metadata.uid ||= randomUUID();
  return message;
}

/**
 * Reads the configuration of a container from a file of `crictl create` and `crictl run`, for `createContainerInSandbox` and the
 * like.
 *
 * ```ts
 * await cri.runContainerInSandbox(pod, fromCrictlContainerConfig(await readFile("container.yaml", "utf8")));
 * ```
 *
 * Does the same as {@link fromCrictlPodConfig}. Values of environment variables are plain strings. As in crictl, a missing
 * `image.user_specified_image` becomes `image.image`, and both name and image are required.
 *
 * @param file the text, or the result of parsing it
 * @throws InvalidDocumentError like {@link fromCrictlPodConfig}. The error shows no value of an environment variable.
 */
export function fromCrictlContainerConfig(file: string | object, options: CrictlConfigOptions = {}): ContainerConfig {
  const { document, message } = readConfig("crictl container config", ContainerConfig, file, options);
  const { metadata, image } = message;
  if (!metadata?.name) document.report("metadata.name", "is required");
  if (!image?.image) document.report("image.image", "is required");
  document.finish();
  if (image) image.userSpecifiedImage ||= image.image;
  return message;
}

function readConfig<T>(
  name: string,
  type: MessageType<T>,
  file: string | object,
  options: CrictlConfigOptions,
): { document: CrictlDocument; message: T } {
  const document = new CrictlDocument(name, file, leniencyOf(options, "refuse"));
  return { document, message: document.message(type, document.data, configDialect(document)) };
}

/** Go's JSON of CRI, with the conversions of the library that crictl reads YAML with. */
function configDialect(document: CrictlDocument): Dialect {
  const string = (value: unknown, path: string): string => {
    const text = convertedText(value);
    if (text === undefined) {
      throw new InvalidInputError({ field: path, message: `must be a string, got ${typeName(value)}` });
    }
    const given = value === null ? "empty" : typeName(value);
    document.report(path, `is ${given}, which crictl converts to a string; put it in quotes`, true);
    return text;
  };
  const map = (value: unknown, path: string) => {
    if (!isRecord(value)) return readMap(value, path);
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      typeof item === "string" ? item : string(item, fieldPath(path, key)),
    ]);
    return readMap(Object.fromEntries(entries), path);
  };
  return { ...goDialect, string, map };
}

/** Returns the string to which crictl converts a value that is not a string. */
function convertedText(value: unknown): string | undefined {
  if (value === null) return "";
  if (typeof value === "number" && !Number.isSafeInteger(value)) return float32Text(value);
  return ["number", "bigint", "boolean"].includes(typeof value) ? String(value) : undefined;
}

/** Returns the shortest text of a number that is exact to 32 bits, as crictl converts fractions: `1.10` becomes `1.1`. */
function float32Text(value: number): string {
  const rounded = Math.fround(value);
  let digits = 1;
  while (digits < 9 && Math.fround(Number(rounded.toPrecision(digits))) !== rounded) digits++;
  const [mantissa, exponent = "0"] = rounded.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(Number(rounded.toPrecision(digits)));
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/**
 * Writes the configuration of a pod as a file for `crictl runp`: JSON in the form of Go's JSON of CRI.
 *
 * {@link fromCrictlPodConfig} reads the same message from it.
 */
export function toCrictlPodConfig(config: PodSandboxConfig): string {
  return toFile(messageToExactGoJson(PodSandboxConfig, config));
}

/**
 * Writes the configuration of a container as a file for `crictl create`: JSON in the form of Go's JSON of CRI. It contains the
 * values of environment variables.
 *
 * @throws InvalidInputError if the value of an environment variable is not UTF-8, which the file cannot represent
 */
export function toCrictlContainerConfig(config: ContainerConfig): string {
  return toFile(messageToExactGoJson(ContainerConfig, config));
}

/** Characters that JSON allows in strings, but crictl's parser, which is one for YAML 1.1, refuses or takes for a line break. */
const unsafeInYaml = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

function toFile(json: object): string {
  const text = stringifyExactly(json, 2);
  return `${text.replace(unsafeInYaml, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}
