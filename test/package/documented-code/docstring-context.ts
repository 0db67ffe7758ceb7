/**
 * What code in docstrings may use without declaring it: all exports of the package, the names of {@link DocstringContext}, `assert`
 * of `node:assert/strict` and `setTimeout` of `node:timers/promises`.
 *
 * @module
 */
import type { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import * as main from "k8s-cri-client";
import * as crictl from "k8s-cri-client/crictl";
import * as kubernetes from "k8s-cri-client/kubernetes";
import * as otel from "k8s-cri-client/otel";
import * as prometheus from "k8s-cri-client/prometheus";
import * as testing from "k8s-cri-client/testing";
import type { Block } from "./blocks.js";

/** The names that are in scope, besides the exports of the package. */
export interface DocstringContext {
  /** A client whose calls, streams and sessions end with {@link signal}. */
  cri: main.CriClient;
  /** A pod with the label `app: web`. */
  pod: main.OwnedPodSandbox;
  /** A running container of {@link pod} that prints lines, with the label `app: web`. */
  container: main.OwnedContainer;
  /** The plan of a pod. */
  plan: kubernetes.PodPlan;
  /** The runtime of {@link cri}. */
  runtime: testing.FakeRuntime;
  /** The reply of an HTTP server to a request. */
  response: ServerResponse;
  signal: AbortSignal;
  readFile: typeof readFile;
}

const contextNames = Object.keys({
  cri: true,
  pod: true,
  container: true,
  plan: true,
  runtime: true,
  response: true,
  signal: true,
  readFile: true,
} satisfies Record<keyof DocstringContext, true>);

/** run-docstrings.ts sets the values before it imports a program. */
export const current: { context?: DocstringContext } = {};

const entryPoints: Readonly<Record<string, object>> = {
  "k8s-cri-client": main,
  "k8s-cri-client/crictl": crictl,
  "k8s-cri-client/kubernetes": kubernetes,
  "k8s-cri-client/otel": otel,
  "k8s-cri-client/prometheus": prometheus,
  "k8s-cri-client/testing": testing,
};

const thisModule = fileURLToPath(import.meta.url).replace(/\.ts$/, ".js");

/** Returns a program from the code of a docstring: with imports of the names that it uses and does not declare, in one line. */
export function docstringProgram({ code }: Block): string {
  const isFree = (name: string) =>
    new RegExp(`(?<![.\\w"])${name}\\b(?!["\\w]*:)`).test(code) &&
    !new RegExp(`^(?:await )?(?:using|const|let) ${name} =|^import \\{[^}]*\\b${name}\\b`, "m").test(code);
  const imports = Object.entries(entryPoints).flatMap(([specifier, exports]) => {
    const names = Object.keys(exports).filter(isFree);
    return names.length === 0 ? [] : [`import { ${names.join(", ")} } from "${specifier}";`];
  });
  if (isFree("assert")) imports.push('import assert from "node:assert/strict";');
  if (isFree("setTimeout")) imports.push('import { setTimeout } from "node:timers/promises";');
  const values = contextNames.filter(isFree);
  if (values.length > 0) {
    imports.push(`import { current } from ${JSON.stringify(thisModule)};`);
    imports.push(`const { ${values.join(", ")} } = current.context!;`);
  }
  return `${imports.join(" ")}\n${code}export {};\n`;
}
