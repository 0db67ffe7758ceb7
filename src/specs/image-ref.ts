import { ImageSpec } from "../proto.js";
import { at, invalid, isSet, object, refuse, requiredText, text, textMap } from "./check.js";

/** An image with what goes beside its reference. */
export interface ImageRefSpec {
  /** What a user would type: a name, a name with tag or digest, or an image id. Runtimes complete short names in their own ways. */
  reference: string;
  /** Annotations for the image service; runtimes ignore those they do not know. */
  annotations?: Readonly<Record<string, string>> | undefined;
  /** The runtime handler that the image is pulled and unpacked for. Since Kubernetes 1.29; ignored by older runtimes. @defaultValue the runtime's default */
  runtimeHandler?: string | undefined;
}

/** An image: its reference, or the reference with annotations and runtime handler. */
export type ImageInput = string | ImageRefSpec;

/**
 * The wire message for an image. `user_specified_image` always says what the user wrote: CRI-O checks signature policies by it
 * and refuses CreateContainer without it.
 *
 * @param resolved What the runtime should use instead: the id or reference a pull resolved the user's words to.
 */
export function toImageSpec(image: ImageInput, field: string, resolved?: string): ImageSpec {
  if (!isSet(image)) return refuse(field, "is required");
  const spec =
    typeof image === "object"
      ? object(image, field, { reference: true, annotations: true, runtimeHandler: true })
      : { reference: image };
  const reference = imageReference(spec.reference, typeof image === "object" ? at(field, "reference") : field);
  return ImageSpec.create({
    image: isSet(resolved) && resolved !== "" ? text(resolved, field) : reference,
    userSpecifiedImage: reference,
    annotations: textMap(spec.annotations, at(field, "annotations")),
    runtimeHandler: text(spec.runtimeHandler, at(field, "runtimeHandler")),
  });
}

/** Checks a reference for what no runtime accepts, and leaves the rest to the runtime. */
export function imageReference(value: unknown, field: string): string {
  const reference = requiredText(value, field);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\s\u0000-\u001f\u007f]/.test(reference)) invalid(field, "must not contain white space", reference);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(reference);
  if (scheme !== null) invalid(field, `must not begin with a scheme: drop ${scheme[0]}`, reference);
  const { repository } = splitReference(reference);
  if (repository !== repository.toLowerCase()) {
    invalid(field, `must have a repository in lower case (${repository.toLowerCase()})`, reference);
  }
  return reference;
}

/**
 * The registry (host and port; `docker.io` if the reference names none) and the repository within it, told apart the way Docker
 * does: the first part is a host if it has a `.`, a `:` or an upper-case letter, or is `localhost`.
 */
export function splitReference(reference: string): { registry: string; repository: string } {
  const name = reference.replace(/@.*$/s, "");
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const path = (isHost ? name.slice(slash + 1) : name).replace(/:[^/:]*$/, "");
  if (isHost && first !== "docker.io" && first !== "index.docker.io") return { registry: first, repository: path };
  return { registry: "docker.io", repository: path.includes("/") ? path : `library/${path}` };
}
