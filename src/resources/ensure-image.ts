import type { RegistryCredentials } from "../credentials/registry-credentials.js";
import { CriError, InvalidInputError } from "../errors.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../input/call-options.js";
import type { CallOptions } from "../options.js";
import type { Image, PodSandboxConfig } from "../proto.js";
import { pinDeadline } from "../rpcs/budget.js";
import { imageStatus } from "../rpcs/images.js";
import type { RegistryAuth } from "../specs/credentials/registry-auth.js";
import { type ImageInput, toImageSpec } from "../specs/image-ref.js";
import { imageName } from "../tracing/subject.js";
import { asWorkflow } from "../tracing/workflow.js";
import type { Connection } from "../transport/connection.js";
import { imageActivity } from "./pruning/image-activity.js";
import { pullWithAuth } from "./pull-image.js";

/** When to pull an image: only if it is not on the node, always, or never. */
export type PullPolicy = "missing" | "always" | "never";

/** Options of a pull. A pull has no default time limit: set `timeoutMs` or `signal` to limit it. */
export interface PullOptions extends CallOptions {
  /**
   * Credentials for the registry, or {@link RegistryCredentials} to choose them from. They are sent with this call and not stored.
   * A token that the runtime would ignore is refused, because the image would be pulled without credentials.
   */
  auth?: RegistryAuth | RegistryCredentials | undefined;
  /** The configuration of the pod that the image is for. Some runtimes choose storage or credentials by it. */
  podConfig?: PodSandboxConfig | undefined;
}

/** Options of `images.ensure`. */
export interface EnsureOptions extends PullOptions {
  /** When to pull. @defaultValue "missing" */
  pullPolicy?: PullPolicy | undefined;
}

const pullFields: FieldsOf<PullOptions> = { auth: true, podConfig: true, ...callOptionFields };
const ensureFields: FieldsOf<EnsureOptions> = { pullPolicy: true, ...pullFields };

/** Calls PullImage. Returns the runtime's reference of the image. */
export async function pullImage(connection: Connection, image: ImageInput, options: PullOptions = {}): Promise<string> {
  checkOptions(options, pullFields);
  const { auth, podConfig, ...callOptions } = options;
  const spec = toImageSpec(image, "image");
  return imageActivity(connection).pull(spec.userSpecifiedImage, () =>
    pullWithAuth(connection, { spec, auth, podConfig }, callOptions),
  );
}

/** Checks a pull policy. @throws InvalidInputError */
export function checkPullPolicy(pullPolicy: PullPolicy | undefined, field: string): void {
  if (pullPolicy === undefined || ["missing", "always", "never"].includes(pullPolicy)) return;
  throw new InvalidInputError({ field, message: 'must be "missing", "always" or "never"', value: pullPolicy });
}

/** Returns an image (ImageStatus), or undefined if it is not on the node. */
export async function findImage(
  connection: Connection,
  image: ImageInput,
  options?: CallOptions,
): Promise<Image | undefined> {
  return (await imageStatus(connection, toImageSpec(image, "image"), false, options)).image;
}

/** Returns an image that is about to be used, or undefined if it is not on the node. Pruning keeps it for some time. */
export async function findPresent(
  connection: Connection,
  image: ImageInput,
  options: CallOptions,
): Promise<Image | undefined> {
  const present = await findImage(connection, image, options);
  if (present) imageActivity(connection).requested(toImageSpec(image, "image").userSpecifiedImage, present.id);
  return present;
}

/** Pulls an image if the pull policy requires it, and returns it. */
export const ensureImage = asWorkflow(
  { name: "images.ensure", subject: ([, image]) => ({ image: imageName(image) }) },
  findOrPull,
);

async function findOrPull(connection: Connection, image: ImageInput, options: EnsureOptions = {}): Promise<Image> {
  checkOptions(options, ensureFields);
  const { pullPolicy = "missing", auth, podConfig, ...callOptions } = pinDeadline(options);
  checkPullPolicy(pullPolicy, "pullPolicy");
  const spec = toImageSpec(image, "image");
  const present = pullPolicy === "always" ? undefined : await findPresent(connection, image, callOptions);
  if (present) return present;
  const written = spec.userSpecifiedImage || spec.image;
  if (pullPolicy === "never") {
    throw notFound(
      connection,
      `image ${written} is not on the node and the pull policy is "never"; pull it first or use "missing"`,
    );
  }
  const imageRef = await pullImage(connection, image, { auth, podConfig, ...callOptions });
  // Looks up the reference that the pull returned before the tag, which may refer to another image by now.
  const pulled =
    (await findImage(connection, { reference: imageRef }, callOptions)) ??
    (await findImage(connection, image, callOptions));
  if (pulled) return pulled;
  throw notFound(
    connection,
    `image ${written} was pulled as ${imageRef} but does not exist any more; is another process removing images?`,
  );
}

function notFound({ imageEndpoint }: Connection, message: string): CriError {
  const method = "ImageService/ImageStatus";
  return new CriError({ code: "NOT_FOUND", message, endpoint: imageEndpoint, method, attempts: 1 });
}
