import { isDeepStrictEqual } from "node:util";
import { CriError, type FailedPull, ImagePullsError, type PulledImage, type PullResult } from "../errors.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../input/call-options.js";
import { flag, integer, invalid, list } from "../input/check.js";
import { object } from "../input/object-reader.js";
import { linkAbort } from "../internal/abort.js";
import { fieldPath } from "../internal/field-names.js";
import { forEachSettled } from "../internal/for-each.js";
import type { ImageSpec } from "../proto.js";
import { type Budget, callOptionsOf, startBudget } from "../rpcs/budget.js";
import { type ImageInput, toImageSpec } from "../specs/image-ref.js";
import { asWorkflow } from "../tracing/workflow.js";
import type { Connection } from "../transport/connection.js";
import { checkPullPolicy, type EnsureOptions, ensureImage, findPresent } from "./ensure-image.js";
import { checkAuth } from "./pull-image.js";

/** An image of `images.pullAll` with options of its own, which replace those of the call. */
export interface PullRequest extends Pick<EnsureOptions, "auth" | "podConfig" | "pullPolicy"> {
  image: ImageInput;
}

/** Options of `images.pullAll`. `timeoutMs` and `deadline` limit the whole operation; by default there is no limit. */
export interface PullAllOptions extends EnsureOptions {
  /**
   * The number of images to pull at the same time, from 1 to 64. Runtimes download several layers of each image at once
   * (containerd: 3), so a few images use the whole bandwidth. A kubelet pulls one image after the other by default
   * (`serializeImagePulls`), which lets one slow registry delay all other images.
   *
   * @defaultValue 3
   */
  concurrency?: number | undefined;
  /**
   * Receives each change of the state of an image. The call is synchronous, so it should return quickly. If it throws, the pulls in
   * progress are cancelled, and `pullAll` rejects with that error.
   */
  onProgress?: ((progress: PullProgress) => void) | undefined;
  /** Starts no further pulls after the first failure. Pulls in progress continue. @defaultValue false */
  stopOnError?: boolean | undefined;
}

/** The state of an image of `images.pullAll`. `present` images were on the node and are not pulled. */
export type PullState = "queued" | "pulling" | PullResult["state"];

/** A change that `images.pullAll` reports. CRI reports no progress within a pull. */
export interface PullProgress {
  /** The reference that was given. */
  readonly reference: string;
  readonly state: PullState;
  /** Why the pull failed, in the state `failed`. */
  readonly error: CriError | undefined;
  /** The number of images in each state after this change. Duplicates in the list count once. */
  readonly counts: Readonly<Record<PullState, number>>;
}

const pullAllFields: FieldsOf<PullAllOptions> = {
  auth: true,
  podConfig: true,
  pullPolicy: true,
  concurrency: true,
  onProgress: true,
  stopOnError: true,
  ...callOptionFields,
};
const requestFields: FieldsOf<PullRequest> = { image: true, auth: true, podConfig: true, pullPolicy: true };

/** Pulls images, a few at the same time. */
export const pullAllImages = asWorkflow({ name: "images.pullAll" }, pullList);

async function pullList(
  connection: Connection,
  images: readonly (ImageInput | PullRequest)[],
  options: PullAllOptions = {},
): Promise<PulledImage[]> {
  checkOptions(options, pullAllFields);
  const { auth, podConfig, pullPolicy, onProgress } = options;
  const concurrency = integer(options.concurrency, "concurrency", 1, 64, 3);
  const stopOnError = flag(options.stopOnError, "stopOnError");
  if (onProgress !== undefined && typeof onProgress !== "function") {
    invalid("onProgress", "must be a function", onProgress);
  }
  checkPullPolicy(pullPolicy, "pullPolicy");
  const given = list(images, "images", (entry, field) => toPull(entry, field, { auth, podConfig, pullPolicy }));
  const pulls = withoutDuplicates(given);
  const budget = startBudget(connection, callOptionsOf(options), undefined);
  const operation = new PullAll(connection, budget, [...new Set(pulls)], onProgress, stopOnError);
  await operation.run(concurrency);
  return settledResults(pulls.map((pull) => pull.result ?? { reference: pull.reference, state: "skipped" }));
}

/** An image to pull, with its state. */
interface Pull {
  readonly request: PullRequest;
  readonly spec: ImageSpec;
  readonly reference: string;
  state: PullState;
  result?: PullResult | undefined;
}

/** Checks an entry of the list and adds the defaults. @throws InvalidInputError */
function toPull(
  entry: ImageInput | PullRequest,
  field: string,
  { auth, podConfig, pullPolicy }: Omit<PullRequest, "image">,
): Pull {
  const isRequest = typeof entry === "object" && entry !== null && !("reference" in entry);
  const own: PullRequest = isRequest ? object(entry, field, requestFields) : { image: entry };
  const request = {
    image: own.image,
    auth: own.auth ?? auth,
    podConfig: own.podConfig ?? podConfig,
    pullPolicy: own.pullPolicy ?? pullPolicy,
  };
  const spec = toImageSpec(own.image, isRequest ? fieldPath(field, "image") : field);
  checkPullPolicy(own.pullPolicy, fieldPath(field, "pullPolicy"));
  checkAuth(spec, request.auth, own.auth ? fieldPath(field, "auth") : "auth");
  return { request, spec, reference: spec.userSpecifiedImage, state: "queued" };
}

/** Replaces each entry that equals an earlier one by that one. */
function withoutDuplicates(pulls: readonly Pull[]): Pull[] {
  const byReference = new Map<string, Pull[]>();
  return pulls.map((pull) => {
    const others = byReference.get(pull.reference) ?? [];
    const same = others.find((other) => isSame(other, pull));
    if (same === undefined) byReference.set(pull.reference, [...others, pull]);
    return same ?? pull;
  });
}

function isSame(a: Pull, b: Pull): boolean {
  const { auth, podConfig, pullPolicy } = a.request;
  const other = b.request;
  if (pullPolicy !== other.pullPolicy) return false;
  if (!isDeepStrictEqual([a.spec, podConfig], [b.spec, other.podConfig])) return false;
  // Objects of classes may differ in private fields.
  const isPlain = auth !== undefined && Object.getPrototypeOf(auth) === Object.prototype;
  return auth === other.auth || (isPlain && isDeepStrictEqual(auth, other.auth));
}

/** Pulls the images of a list, and reports the progress. */
class PullAll {
  readonly #connection: Connection;
  readonly #budget: Budget;
  readonly #pulls: readonly Pull[];
  readonly #onProgress: PullAllOptions["onProgress"];
  readonly #stopOnError: boolean;
  readonly #counts: Record<PullState, number>;

  constructor(
    connection: Connection,
    budget: Budget,
    pulls: readonly Pull[],
    onProgress: PullAllOptions["onProgress"],
    stopOnError: boolean,
  ) {
    this.#connection = connection;
    this.#budget = budget;
    this.#pulls = pulls;
    this.#onProgress = onProgress;
    this.#stopOnError = stopOnError;
    this.#counts = { queued: pulls.length, pulling: 0, present: 0, pulled: 0, failed: 0, skipped: 0 };
  }

  /**
   * Pulls all images. Rejects only if the whole operation ends early: the caller's signal aborts, the client closes, or
   * `onProgress` throws. It then cancels the pulls in progress, and waits until they have ended.
   */
  async run(concurrency: number): Promise<void> {
    const link = linkAbort(this.#budget.caller.signal);
    try {
      link.signal.throwIfAborted();
      for (const pull of this.#pulls) this.#report(pull);
      await forEachSettled(this.#pulls, concurrency, async (pull) => {
        if (link.signal.aborted) return;
        try {
          await this.#pull(pull, link.signal);
        } catch (error) {
          link.abort(error);
          throw error;
        }
      });
      if (this.#pulls.some(({ result }) => result === undefined)) throw link.signal.reason;
    } finally {
      link.unlink();
    }
  }

  async #pull(pull: Pull, signal: AbortSignal): Promise<void> {
    const { reference } = pull;
    if (this.#stopOnError && this.#counts.failed > 0) {
      this.#settle(pull, { reference, state: "skipped" });
      return;
    }
    try {
      const options = () => ({ ...this.#budget.options(), signal });
      const { image, pullPolicy = "missing", ...rest } = pull.request;
      const found = pullPolicy === "always" ? undefined : await findPresent(this.#connection, image, options());
      if (found) {
        this.#settle(pull, { reference, state: "present", image: found });
        return;
      }
      if (pullPolicy !== "never") this.#move(pull, "pulling");
      const policy = pullPolicy === "never" ? "never" : "always";
      const pulled = await ensureImage(this.#connection, image, { ...rest, ...options(), pullPolicy: policy });
      this.#settle(pull, { reference, state: "pulled", image: pulled });
    } catch (error) {
      if (signal.aborted || !CriError.is(error) || error.code === "CLIENT_CLOSED") throw error;
      this.#settle(pull, { reference, state: "failed", error });
    }
  }

  #settle(pull: Pull, result: PullResult): void {
    pull.result = result;
    this.#move(pull, result.state);
  }

  #move(pull: Pull, to: PullState): void {
    this.#counts[pull.state]--;
    this.#counts[to]++;
    pull.state = to;
    this.#report(pull);
  }

  #report({ reference, state, result }: Pull): void {
    const error = result?.state === "failed" ? result.error : undefined;
    this.#onProgress?.({ reference, state, error, counts: { ...this.#counts } });
  }
}

/** Returns the results if all images are on the node. @throws ImagePullsError if not */
function settledResults(results: readonly PullResult[]): PulledImage[] {
  const failed = results.filter((result): result is FailedPull => result.state === "failed");
  const [first] = failed;
  if (first === undefined) return results as PulledImage[];
  const { code, method, endpoint, attempts } = first.error;
  throw new ImagePullsError({
    code,
    method,
    endpoint,
    attempts,
    message: [
      `${failed.length} of ${results.length} images could not be pulled`,
      ...failed.slice(0, maxShown).map(({ reference, error }) => `${reference}: ${error.details}`),
      ...(failed.length > maxShown ? [`and ${failed.length - maxShown} more`] : []),
    ],
    mayHaveTakenEffect: failed.some(({ error }) => error.mayHaveTakenEffect),
    cause: first.error,
    results,
  });
}

/** The number of failures that an error message shows. */
const maxShown = 10;
