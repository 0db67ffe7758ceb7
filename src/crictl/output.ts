import type { MessageType } from "../internal/message-shape.js";
import { isRecord } from "../internal/record.js";
import { typeName } from "../internal/type-name.js";
import { parseExactly, stringifyExactly } from "../json/exact-json.js";
import { goDialect } from "../json/go-json.js";
import { define } from "../json/read-message.js";
import { withToJson } from "../json/stringify.js";
import { Container, ContainerStatus, Image, PodSandbox, PodSandboxStatus } from "../proto.js";
import { ContainerInspection, PodInspection } from "../resources/inspection.js";
import { CrictlDocument } from "./document.js";
import { type CrictlOutputOptions, leniencyOf } from "./read-options.js";

/**
 * Reads the output of `crictl inspect`, in JSON or YAML: one element per container. The elements are those that
 * `container.inspect()` returns, with the verbose info and what the client reads from it.
 *
 * crictl prints times with the time zone of its machine, and numbers in the verbose info above 2^53 rounded.
 *
 * @param output the text, or the result of parsing it
 * @throws InvalidDocumentError for anything else, with all faults
 */
export function fromCrictlInspect(output: string | object, options: CrictlOutputOptions = {}): ContainerInspection[] {
  return readStatuses("inspect", ContainerStatus, output, options).map((read) => new ContainerInspection(read));
}

/**
 * Reads the output of `crictl inspectp`, in JSON or YAML: one element per pod. The elements are those that `pod.inspect()`
 * returns.
 *
 * @param output the text, or the result of parsing it
 * @throws InvalidDocumentError for anything else, with all faults
 */
export function fromCrictlInspectp(output: string | object, options: CrictlOutputOptions = {}): PodInspection[] {
  return readStatuses("inspectp", PodSandboxStatus, output, options).map((read) => new PodInspection(read));
}

/**
 * Reads the output of `crictl inspecti`, in JSON or YAML: one element per image. The elements are those that
 * `cri.images.inspect()` returns.
 *
 * @param output the text, or the result of parsing it
 * @throws InvalidDocumentError for anything else, with all faults
 */
export function fromCrictlInspecti(
  output: string | object,
  options: CrictlOutputOptions = {},
): { image: Image; info: Record<string, string> }[] {
  return readStatuses("inspecti", Image, output, options).map(({ status, info }) => ({ image: status, info }));
}

/**
 * Reads the output of `crictl ps -o json` or `-o yaml`: the elements that `cri.containers.list()` returns.
 *
 * @param output the text, or the result of parsing it
 * @throws InvalidDocumentError for anything else, with all faults
 */
export function fromCrictlPs(output: string | object, options: CrictlOutputOptions = {}): Container[] {
  return readList("ps", "containers", Container, output, options);
}

/**
 * Reads the output of `crictl pods -o json` or `-o yaml`: the elements that `cri.pods.list()` returns.
 *
 * @param output the text, or the result of parsing it
 * @throws InvalidDocumentError for anything else, with all faults
 */
export function fromCrictlPods(output: string | object, options: CrictlOutputOptions = {}): PodSandbox[] {
  return readList("pods", "items", PodSandbox, output, options);
}

/**
 * Reads the output of `crictl images -o json` or `-o yaml`: the elements that `cri.images.list()` returns.
 *
 * @param output the text, or the result of parsing it
 * @throws InvalidDocumentError for anything else, with all faults
 */
export function fromCrictlImages(output: string | object, options: CrictlOutputOptions = {}): Image[] {
  return readList("images", "images", Image, output, options);
}

function readOutput(command: string, output: unknown, options: CrictlOutputOptions): CrictlDocument {
  return new CrictlDocument(`output of crictl ${command}`, output, leniencyOf(options, "ignore"), parseExactly);
}

function readList<T extends object>(
  command: string,
  key: string,
  type: MessageType<T>,
  output: unknown,
  options: CrictlOutputOptions,
): T[] {
  const document = readOutput(command, output, options);
  const found = isRecord(document.data) ? document.data[key] : undefined;
  const list: unknown[] = Array.isArray(found)
    ? found
    : document.fail(`must have the list ${key}, as \`crictl ${command} -o json\` prints it`);
  const messages = list.map((item, index) => document.message(type, item, goDialect, `${key}[${index}]`));
  document.finish();
  return messages.map((message) => withToJson(type, message));
}

/** Reads the output for one object, or the array for several. crictl prints the entries of the verbose info beside the status. */
function readStatuses<T extends object>(
  command: string,
  type: MessageType<T>,
  output: unknown,
  options: CrictlOutputOptions,
): { status: T; info: Record<string, string> }[] {
  const document = readOutput(command, output, options);
  const isList = Array.isArray(document.data);
  const all: unknown[] = isList ? (document.data as unknown[]) : [document.data];
  const read = all.map((item, index) => {
    const at = isList ? `[${index}]` : "";
    const printed = isRecord(item) ? item : document.fail(`must be an object, got ${typeName(item)}`, at);
    const status = document.message(type, printed.status, goDialect, `${at}${isList ? "." : ""}status`);
    return { status: withToJson(type, status), info: infoOf(printed) };
  });
  document.finish();
  return read;
}

function infoOf(printed: Readonly<Record<string, unknown>>): Record<string, string> {
  const info: Record<string, string> = {};
  for (const [key, value] of Object.entries(printed)) {
    if (key === "status" || value === null) continue;
    define(info, key, typeof value === "string" ? value : stringifyExactly(value));
  }
  return info;
}
