import { CriError } from "../../errors.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import { flag, invalid, isSet, nonEmptyStrings, refuse } from "../../input/check.js";
import { toDate } from "../../internal/time.js";
import type { CallOptions } from "../../options.js";
import { type Image, ImageSpec } from "../../proto.js";
import { callOptionsOf, pinDeadline } from "../../rpcs/budget.js";
import { imageFsInfo, removeImage } from "../../rpcs/images.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { imageActivity } from "./image-activity.js";
import { matchesImage, plainNames } from "./image-names.js";
import { ImageUsage } from "./image-usage.js";
import { amount, predicate, Removals } from "./removals.js";
import { listUsedImages, type NodeImages } from "./used-images.js";

/** Options of `images.prune`. `timeoutMs` and `deadline` limit the whole operation. */
export interface PruneOptions extends CallOptions {
  /** Selects which of the unused images to remove. Must return a boolean. @defaultValue all of them */
  filter?: ((image: Image) => boolean) | undefined;
  /**
   * Images to keep, by a function or by patterns in which `*` matches any string: `registry.example/base/*`, `busybox:1.37`. A
   * pattern without a tag or digest matches all of them. Images of Docker Hub match with and without `docker.io/` and `library/`.
   * A function must return a boolean.
   */
  keep?: readonly string[] | ((image: Image) => boolean) | undefined;
  /**
   * Keeps images that were pulled or requested more recently than this, because their containers may not be created yet. Knows the
   * images that this client (or one derived from it) was asked to pull, to ensure or to create a container from, and those that
   * appeared between two recordings of {@link usage}. Images that this client is pulling at the moment are always kept.
   *
   * @defaultValue 120,000 (two minutes), as a kubelet's `imageMinimumGCAge`
   */
  minAgeMs?: number | undefined;
  /** Removes only images that have been unused for this long. Requires {@link usage}. */
  unusedForMs?: number | undefined;
  /** The recorded usage of the images of this node. The call also records. */
  usage?: ImageUsage | undefined;
  /**
   * Removes only as many images as are needed for the image file system to use less than this: with {@link usage}, the least
   * recently used first, otherwise the largest first. Adds up sizes, because a runtime measures only now and then. Images share
   * layers, so the removal may free less: call `prune` again after the next measurement. containerd reports compressed sizes, so
   * it may also remove more images than necessary.
   */
  belowBytes?: number | undefined;
  /** Removes nothing and only returns which images would be removed. @defaultValue false */
  dryRun?: boolean | undefined;
}

const pruneFields: FieldsOf<PruneOptions> = {
  filter: true,
  keep: true,
  minAgeMs: true,
  unusedForMs: true,
  usage: true,
  belowBytes: true,
  dryRun: true,
  ...callOptionFields,
};

/**
 * Why `images.prune` kept an image: it is pinned, used by a container (running or not), the image of the pod sandboxes, or kept by
 * the option of this name.
 */
export type ImageKeptReason =
  | "pinned"
  | "used"
  | "podSandbox"
  | "keep"
  | "filter"
  | "minAgeMs"
  | "unusedForMs"
  | "belowBytes";

/** The result of `images.prune`. */
export interface PrunedImages {
  /** The images that were removed; with `dryRun`, those that would be. */
  removed: Image[];
  /** The images that the runtime refused to remove. CRI-O and Docker may know of containers that CRI does not list. */
  failed: { image: Image; error: CriError }[];
  /** The other images, and why they were kept. */
  kept: { image: Image; reason: ImageKeptReason }[];
  /**
   * The sum of the sizes of the removed images. Their removal may free less, because other images may share layers, and more on
   * containerd, which reports compressed sizes.
   */
  removedBytes: number;
}

const defaultMinAgeMs = 120_000;

/** Removes unused images. */
export const pruneImages = asWorkflow({ name: "images.prune" }, removeUnusedImages);

async function removeUnusedImages(connection: Connection, options: PruneOptions = {}): Promise<PrunedImages> {
  const checked = checkPruneOptions(options);
  const { usage, belowBytes, dryRun } = checked;
  const callOptions = callOptionsOf(pinDeadline(options));
  const since = Date.now() - checked.minAgeMs;
  const isRequested = (image: Image) => imageActivity(connection).isRequested(plainNames(image), since);
  // The usage is measured before the images are listed: an image that is pulled in between is then never removed for it.
  const excessBytes = belowBytes === undefined ? undefined : await measureExcess(connection, belowBytes, callOptions);
  const node = await listUsedImages(connection, callOptions);
  usage?.record(node.images, (image) => node.userOf(image) !== undefined);

  const kept: PrunedImages["kept"] = [];
  const candidates: Image[] = [];
  for (const image of node.images) {
    const reason = reasonToKeep(image, node, isRequested, checked);
    if (reason === undefined) candidates.push(image);
    else kept.push({ image, reason });
  }
  if (belowBytes !== undefined) candidates.sort(removalOrder(usage));

  const removals = new Removals<Image>(dryRun);
  let removedBytes = 0;
  for (const image of candidates) {
    if (excessBytes !== undefined && removedBytes >= excessBytes) {
      kept.push({ image, reason: "belowBytes" });
      continue;
    }
    // The previous removals take time, in which this client may have been asked for the image.
    if (isRequested(image)) {
      kept.push({ image, reason: "minAgeMs" });
      continue;
    }
    const bytes = image.size.toNumber();
    const isRemoved = await removals.remove(image, async () => {
      await removeImage(connection, ImageSpec.create({ image: image.id }), callOptions);
      imageActivity(connection).removed(image);
    });
    if (isRemoved) removedBytes += bytes;
  }
  const failed = removals.failed.map(({ object, error }) => ({ image: object, error }));
  return { removed: removals.removed, failed, kept, removedBytes };
}

/** Records which images are on the node and in use. */
export async function recordImageUsage(connection: Connection, usage: ImageUsage, options: CallOptions): Promise<void> {
  checkOptions(options, callOptionFields);
  checkUsage(usage);
  const node = await listUsedImages(connection, pinDeadline(options));
  usage.record(node.images, (image) => node.userOf(image) !== undefined);
}

/** The options with their defaults. */
interface CheckedOptions {
  readonly filter: (image: Image) => boolean;
  readonly keep: (image: Image) => boolean;
  readonly minAgeMs: number;
  readonly unusedForMs: number | undefined;
  readonly usage: ImageUsage | undefined;
  readonly belowBytes: number | undefined;
  readonly dryRun: boolean;
}

function checkPruneOptions(options: PruneOptions): CheckedOptions {
  checkOptions(options, pruneFields);
  const { filter, keep, usage, unusedForMs } = options;
  if (isSet(usage)) checkUsage(usage);
  if (isSet(unusedForMs) && !isSet(usage)) {
    refuse("usage", "is required by unusedForMs, because CRI does not report when an image was last used");
  }
  return {
    filter: isSet(filter) ? predicate(filter, "filter") : () => true,
    keep: typeof keep === "function" ? predicate(keep, "keep") : keepPatterns(nonEmptyStrings(keep, "keep")),
    minAgeMs: amount(options.minAgeMs, "minAgeMs", "milliseconds") ?? defaultMinAgeMs,
    unusedForMs: amount(unusedForMs, "unusedForMs", "milliseconds"),
    usage: usage ?? undefined,
    belowBytes: amount(options.belowBytes, "belowBytes", "bytes"),
    dryRun: flag(options.dryRun, "dryRun"),
  };
}

function checkUsage(usage: ImageUsage): void {
  if (!(usage instanceof ImageUsage)) invalid("usage", "must be an ImageUsage", usage);
}

function keepPatterns(patterns: readonly string[]): (image: Image) => boolean {
  return (image) => patterns.some((pattern) => matchesImage(pattern, image));
}

/** Returns why an image must not be removed; `undefined` if it may be. */
function reasonToKeep(
  image: Image,
  node: NodeImages,
  isRequested: (image: Image) => boolean,
  { keep, filter, minAgeMs, unusedForMs, usage }: CheckedOptions,
): ImageKeptReason | undefined {
  if (image.pinned) return "pinned";
  const user = node.userOf(image);
  if (user !== undefined) return user === "container" ? "used" : "podSandbox";
  if (keep(image)) return "keep";
  if (!filter(image)) return "filter";
  if (isRequested(image)) return "minAgeMs";
  if (usage?.appearedWithin(image, minAgeMs)) return "minAgeMs";
  const isUnusedLongEnough =
    unusedForMs === undefined || usage === undefined || Date.now() - usage.unusedSince(image) >= unusedForMs;
  return isUnusedLongEnough ? undefined : "unusedForMs";
}

/** Returns by how many bytes the image file systems exceed a usage. @throws CriError if the runtime does not report the usage */
async function measureExcess(connection: Connection, belowBytes: number, options: CallOptions): Promise<number> {
  const { imageFilesystems } = await imageFsInfo(connection, options);
  const used = imageFilesystems.flatMap(({ usedBytes }) => (usedBytes ? [usedBytes.value.toNumber()] : []));
  if (used.length === 0) {
    throw new CriError({
      code: "FAILED_PRECONDITION",
      message: "the runtime does not report the usage of its image file system; prune without belowBytes",
      endpoint: connection.imageEndpoint,
      method: "ImageService/ImageFsInfo",
    });
  }
  const measuredAt = imageFilesystems.map(
    ({ timestamp }) => toDate(timestamp)?.getTime() ?? Date.now() - unknownMeasurementMs,
  );
  // The measurement may be older than earlier removals, whose space must not be freed twice.
  const alreadyFreed = imageActivity(connection).removedSince(Math.min(...measuredAt));
  return used.reduce((sum, bytes) => sum + bytes, 0) - alreadyFreed - belowBytes + 1;
}

/** The age of a measurement without a timestamp. containerd measures every 10 seconds. */
const unknownMeasurementMs = 60_000;

/** Orders images by their removal: the least recently used first, else the largest. */
function removalOrder(usage: ImageUsage | undefined): (a: Image, b: Image) => number {
  return (a, b) => (usage ? usage.unusedSince(a) - usage.unusedSince(b) : 0) || b.size.compare(a.size);
}
