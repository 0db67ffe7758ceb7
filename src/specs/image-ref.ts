import { invalid, isSet, optionalString, refuse, requiredString, stringMap } from "../input/check.js";
import { ObjectReader } from "../input/object-reader.js";
import { ImageSpec } from "../proto.js";
import { locate, split } from "./image-reference.js";

/** A reference to an image, with annotations and runtime handler. */
export interface ImageRefSpec {
  /**
   * The image as a user would write it: a name, a name with tag or digest, or an image id. Runtimes complete short names in their
   * own ways: see `parseImageReference`.
   */
  reference: string;
  /** Annotations for the image service; runtimes ignore unknown ones. */
  annotations?: Readonly<Record<string, string>> | undefined;
  /**
   * The runtime handler for which the image is pulled and unpacked. Since Kubernetes 1.29; older runtimes ignore it.
   *
   * @defaultValue the runtime's default
   */
  runtimeHandler?: string | undefined;
}

/** An image: its reference, or the reference with annotations and runtime handler. */
export type ImageInput = string | ImageRefSpec;

/**
 * Converts an image to its wire message. `user_specified_image` is always the reference as the user wrote it: CRI-O checks
 * signature policies with it and refuses CreateContainer without it.
 */
export function toImageSpec(image: ImageInput, field: string): ImageSpec {
  if (!isSet(image)) return refuse(field, "is required");
  if (typeof image !== "object") {
    const reference = imageReference(image, field);
    return ImageSpec.create({ image: reference, userSpecifiedImage: reference });
  }
  const spec = new ObjectReader(image, field, { reference: true, annotations: true, runtimeHandler: true });
  const reference = spec.read("reference", imageReference);
  return ImageSpec.create({
    image: reference,
    userSpecifiedImage: reference,
    annotations: spec.read("annotations", stringMap),
    runtimeHandler: spec.read("runtimeHandler", optionalString),
  });
}

/** Refuses references that no runtime accepts, and leaves other checks to the runtime. */
export function imageReference(value: unknown, field: string): string {
  const reference = requiredString(value, field);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern finds them
  if (/[\s\u0000-\u001f\u007f]/.test(reference)) invalid(field, "must not contain white space", reference);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(reference);
  if (scheme !== null) invalid(field, `must not begin with a scheme: drop ${scheme[0]}`, reference);
  const { repository } = splitReference(reference);
  if (repository !== repository.toLowerCase()) {
    invalid(field, `must have a repository in lower case (${repository.toLowerCase()})`, reference);
  }
  return reference;
}

/** Splits a reference into its registry and repository, as `parseImageReference` does, without checking them. */
export function splitReference(reference: string): { registry: string; repository: string } {
  return locate(split(reference).name);
}
