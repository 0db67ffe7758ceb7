import { isIP } from "node:net";
import { readImageReference } from "../../../specs/image-reference.js";
import type { Check } from "../schema/scalars.js";

/** The forms of names and strings in Kubernetes. Each check returns what the string must be, or undefined if it is valid. */
const form =
  (pattern: RegExp, maxLength: number, what: string): Check =>
  (value) => {
    if (value.length > maxLength) return `must have at most ${maxLength} characters`;
    return pattern.test(value) ? undefined : `must be ${what}`;
  };

/** RFC 1123: names of containers, volumes and namespaces. */
export const dnsLabel = form(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  63,
  "lower-case letters, digits and '-', and begin and end with a letter or digit",
);

/** RFC 1123: names of pods and of most other objects. */
export const dnsSubdomain = form(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  253,
  "lower-case letters, digits, '-' and '.', and begin and end with a letter or digit",
);

/** RFC 1035: names of Services. */
export const serviceName = form(
  /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  63,
  "lower-case letters, digits and '-', and begin with a letter",
);

export const labelValue = form(
  /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
  63,
  "letters, digits, '-', '_' and '.', and begin and end with a letter or digit",
);

const namePart = form(
  /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/,
  63,
  "letters, digits, '-', '_' and '.', begin and end with a letter or digit, and may follow a domain and '/'",
);

/** A name that may have a domain as its prefix: keys of labels and annotations, names of resources. */
export const qualifiedName: Check = (value) => {
  const [first = "", second, ...rest] = value.split("/");
  if (rest.length > 0) return "must have at most one '/'";
  if (second === undefined) return namePart(first);
  const wrong = dnsSubdomain(first);
  return wrong === undefined ? namePart(second) : "must have a domain before '/'";
};

/** Keys of annotations may have upper-case letters in their domain. */
export const annotationKey: Check = (value) => qualifiedName(value.toLowerCase());

/** Keys of ConfigMaps and Secrets. */
export const dataKey: Check = (value) => {
  if (value === "." || value.startsWith("..")) return 'must not be "." or begin with ".."';
  return form(/^[-._a-zA-Z0-9]+$/, 253, "letters, digits, '-', '_' and '.'")(value);
};

/** Names of environment variables, since Kubernetes 1.34. */
export const variableName: Check = (value) => {
  if (value.includes("=")) return "must not contain '='; write the value in the field \"value\"";
  return /^[ -~]+$/.test(value) ? undefined : "must be printable ASCII characters";
};

/** RFC 6335: names of container ports. */
export const portName: Check = (value) => {
  const wrong = form(/^[a-z0-9]+(-[a-z0-9]+)*$/, 15, "lower-case letters, digits and single '-' between them")(value);
  return wrong ?? (/[a-z]/.test(value) ? undefined : "must contain a letter");
};

export const headerName = form(/^[-A-Za-z0-9]+$/, 256, "letters, digits and '-'");

export const ipAddress: Check = (value) => (isIP(value) ? undefined : "must be an IP address");

/** The address of a Service; headless Services have none. */
export const clusterAddress: Check = (value) => {
  return value === "None" || isIP(value) ? undefined : 'must be an IP address or "None"';
};

/** A path below a volume. */
export const relativePath: Check = (value) => {
  if (value.startsWith("/")) return "must be a relative path";
  return value.split("/").includes("..") ? "must not contain '..'" : undefined;
};

/** The path of a file in a volume. */
export const filePath: Check = (value) => {
  return relativePath(value) ?? (value.startsWith("..") ? "must not begin with '..'" : undefined);
};

export const withoutParents: Check = (value) => (value.split("/").includes("..") ? "must not contain '..'" : undefined);

/** A domain to search, which may end with a dot, be a dot, and contain '_', also before a label. */
export const searchDomain: Check = (value) => {
  if (value === ".") return undefined;
  const withoutUnderscores = value
    .replace(/\.$/, "")
    .replace(/(^|\.)_/g, "$1")
    .replaceAll("_", "-");
  return dnsSubdomain(withoutUnderscores) && "must be a domain";
};

/** Names of sysctls, with dots or slashes. */
export const sysctlName = form(
  /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9]$/,
  253,
  "lower-case letters, digits, '-', '_', '.' and '/'",
);

/** The name of an image. */
export const imageName: Check = (value) => {
  const read = readImageReference(value);
  return typeof read === "string" ? read : undefined;
};
