import type { RegistryCredentials } from "../../credentials/registry-credentials.js";
import { CriError, ImagePullError, type ImagePullFailure } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { type Image, ImageSpec, type PodSandboxConfig } from "../../proto.js";
import { imageActivity } from "../../resources/pruning/image-activity.js";
import { pullWithAuth } from "../../resources/pull-image.js";
import { imageStatus } from "../../rpcs/images.js";
import type { ImageFacts, ImagePlan } from "../planning/pod-plan-types.js";
import { BackOff } from "./back-off.js";
import type { RunnerContext } from "./runner-context.js";
import { messageOf, StartFailure, type WaitingReason } from "./start-failure.js";

/** What {@link ImagePuller} needs. */
export interface PullerContext extends RunnerContext {
  readonly auth: RegistryCredentials | undefined;
}

/** Pulls the images of a pod by their pull policies, with the kubelet's back-off between failures. */
export class ImagePuller {
  readonly #context: PullerContext;
  readonly #backOff: BackOff;
  /** When and why the last pull of a reference failed. */
  readonly #failed = new Map<string, { at: number; message: string }>();

  constructor(context: PullerContext) {
    this.#context = context;
    this.#backOff = new BackOff({ maxMs: context.plan.node.maxRestartDelayMs });
  }

  /**
   * Makes sure that an image is on the node.
   *
   * @param container the container that needs it, for events
   * @throws StartFailure
   */
  async ensure(
    image: ImagePlan,
    container: string,
    sandbox: PodSandboxConfig,
    options: CallOptions,
  ): Promise<ImageFacts> {
    const { emit, plan, auth, client } = this.#context;
    const { connection } = client;
    const { reference, pullPolicy } = image;
    const present = pullPolicy === "Always" ? undefined : await this.#find(reference, options);
    if (present) {
      emit("Pulled", `Container image "${reference}" already present on machine`, container);
      return factsOf(present);
    }
    if (pullPolicy === "Never") {
      const message = `Container image "${reference}" is not present with pull policy of Never`;
      emit("ErrImageNeverPull", message, container);
      throw new StartFailure("ErrImageNeverPull", message);
    }
    this.#awaitBackOff(reference, container);
    const startedAt = this.#context.clock.now();
    emit("Pulling", `Pulling image "${reference}"`, container);
    try {
      const { image: spec = ImageSpec.create({ image: reference }) } = plan.pullImage(image, sandbox);
      const imageRef = await imageActivity(connection).pull(reference, () =>
        pullWithAuth(connection, { spec, auth, podConfig: sandbox }, options),
      );
      // The tag may refer to another image by now.
      const pulled = (await this.#find(imageRef, options)) ?? (await this.#find(reference, options));
      if (!pulled) throw new Error(`image ${reference} was pulled as ${imageRef}, but does not exist any more`);
      const seconds = ((this.#context.clock.now() - startedAt) / 1000).toFixed(3);
      emit(
        "Pulled",
        `Successfully pulled image "${reference}" in ${seconds}s. Image size: ${pulled.size} bytes.`,
        container,
      );
      this.#failed.delete(reference);
      this.#backOff.reset(reference);
      return factsOf(pulled);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (CriError.is(error, "CLIENT_CLOSED")) throw error;
      const now = this.#context.clock.now();
      this.#backOff.next(reference, this.#failed.get(reference)?.at ?? now, now);
      this.#failed.set(reference, { at: now, message: messageOf(error) });
      emit("Failed", `Failed to pull image "${reference}": ${messageOf(error)}`, container);
      // The next try, soon, reports the back-off.
      throw new StartFailure(reasonOf(error), messageOf(error), { cause: error });
    }
  }

  #awaitBackOff(reference: string, container: string): void {
    const failed = this.#failed.get(reference);
    if (failed === undefined) return;
    const retryAt = this.#backOff.readyAt(reference, failed.at);
    if (retryAt <= this.#context.clock.now()) return;
    const message = `Back-off pulling image "${reference}"`;
    this.#context.emit("BackOff", message, container);
    throw new StartFailure("ImagePullBackOff", `${message}: ${failed.message}`, { retryAt });
  }

  async #find(reference: string, options: CallOptions): Promise<Image | undefined> {
    try {
      const spec = ImageSpec.create({ image: reference });
      return (await imageStatus(this.#context.client.connection, spec, false, options)).image;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (CriError.is(error, "CLIENT_CLOSED", "UNAVAILABLE")) throw error;
      throw new StartFailure("ImageInspectError", `Failed to inspect image "${reference}": ${messageOf(error)}`);
    }
  }
}

const reasons: Readonly<Partial<Record<ImagePullFailure, WaitingReason>>> = {
  RegistryUnavailable: "RegistryUnavailable",
  SignatureValidationFailed: "SignatureValidationFailed",
  InvalidReference: "InvalidImageName",
};

function reasonOf(error: unknown): WaitingReason {
  return (error instanceof ImagePullError && reasons[error.reason]) || "ErrImagePull";
}

function factsOf({ id, uid, username }: Image): ImageFacts {
  if (uid) return { id, uid: BigInt(uid.value.toString()) };
  return username === "" ? { id } : { id, username };
}
