import { InvalidInputError } from "../../errors.js";
import { type FieldsOf, object } from "../../input/object-reader.js";
import { Image, Long } from "../../proto.js";
import { sha256 } from "./ids.js";
import { formatReference, type ImageReference, parseReference } from "./reference.js";

/** An image on the runtime or in its registry. */
export interface FakeImage {
  /** The name, such as `docker.io/library/busybox:1.36`. Short names are completed as in Docker. */
  reference: string;
  /**
   * The digest of the manifest: `sha256:…`. References with the same digest are names of one image.
   *
   * @defaultValue a digest derived from the reference
   */
  digest?: string | undefined;
  /** The program that runs the command, unless a container has its own command. @defaultValue none */
  entrypoint?: readonly string[] | undefined;
  /** The command of containers that have neither command nor args. @defaultValue `["sh"]` */
  command?: readonly string[] | undefined;
  /** Environment variables. @defaultValue none */
  env?: Readonly<Record<string, string>> | undefined;
  /** Labels, which verbose replies contain. @defaultValue none */
  labels?: Readonly<Record<string, string>> | undefined;
  /** The stop signal of containers that do not set one, such as `SIGINT`. @defaultValue `SIGTERM` */
  stopSignal?: string | undefined;
  /** The size in bytes. @defaultValue 1 to 10 MB, derived from the digest */
  size?: number | undefined;
  /** Protects the image from the kubelet's garbage collection. @defaultValue false */
  pinned?: boolean | undefined;
  /** The user id of the image, or the name of its user. @defaultValue none */
  user?: number | string | undefined;
  /** The group of a numeric {@link user}. @defaultValue 0 */
  gid?: number | undefined;
  /** The other groups of the image's user. @defaultValue none */
  groups?: readonly number[] | undefined;
}

const fakeImageFields: FieldsOf<FakeImage> = {
  reference: true,
  digest: true,
  entrypoint: true,
  command: true,
  env: true,
  labels: true,
  stopSignal: true,
  size: true,
  pinned: true,
  user: true,
  gid: true,
  groups: true,
};

/** Checks an image: a reference, or an object without unknown fields. @throws InvalidInputError */
export function checkFakeImage(image: string | FakeImage, field: string): void {
  if (typeof image !== "string") object(image, field, fakeImageFields);
}

/** The state of an image. */
export interface ImageRecord {
  /** `sha256:…` */
  readonly id: string;
  readonly tags: string[];
  readonly digests: string[];
  readonly size: number;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string | undefined;
  readonly pinned: boolean;
  readonly user: number | string | undefined;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** The image store of a runtime. */
export class ImageStore {
  readonly #images = new Map<string, ImageRecord>();

  get all(): ImageRecord[] {
    return [...this.#images.values()];
  }

  /** Adds an image, or adds its names to an existing image with the same digest. */
  add(image: FakeImage): ImageRecord {
    const reference = parseReference(image.reference);
    if (!reference) {
      throw new InvalidInputError({ field: "images", message: "expected an image reference", value: image.reference });
    }
    const fresh = makeImage(image, reference);
    const existing = this.#images.get(fresh.id);
    const record = existing ?? fresh;
    if (existing) {
      for (const tag of fresh.tags) if (!existing.tags.includes(tag)) existing.tags.push(tag);
      for (const digest of fresh.digests) if (!existing.digests.includes(digest)) existing.digests.push(digest);
    }
    this.#images.set(record.id, record);
    return record;
  }

  /** Finds an image by its id (with or without `sha256:`, or a unique prefix) or by any of its names. */
  find(image: string): ImageRecord | undefined {
    const hex = image.replace(/^sha256:/, "");
    if (/^[0-9a-f]{3,64}$/.test(hex)) {
      const matching = this.all.filter(({ id }) => id.startsWith(`sha256:${hex}`));
      if (matching.length === 1) return matching[0];
    }
    const reference = parseReference(image);
    if (!reference) return undefined;
    const full = formatReference(reference);
    return this.all.find(({ tags, digests }) => tags.includes(full) || digests.includes(full));
  }

  /** Removes a tag from an image, and the image with its last tag. Does nothing for a digest. */
  untag(image: ImageRecord, name: string): void {
    const reference = parseReference(name);
    const index = reference ? image.tags.indexOf(formatReference(reference)) : -1;
    if (index < 0) return;
    image.tags.splice(index, 1);
    if (image.tags.length === 0) this.delete(image);
  }

  /** Removes an image with all its names. */
  delete(image: ImageRecord): void {
    this.#images.delete(image.id);
  }
}

/** Returns the image reference that containers report: the name with the digest, or the id if the image has no digest. */
export function imageRefOf(image: ImageRecord): string {
  return image.digests[0] ?? image.id;
}

/** Converts an image to its message in a list or a status. */
export function toImage(image: ImageRecord): Image {
  return Image.fromPartial({
    id: image.id,
    repoTags: image.tags,
    repoDigests: image.digests,
    size: Long.fromNumber(image.size, true),
    pinned: image.pinned,
    ...(typeof image.user === "number" && { uid: { value: image.user } }),
    ...(typeof image.user === "string" && { username: image.user }),
  });
}

function makeImage(image: FakeImage, reference: ImageReference): ImageRecord {
  const full = formatReference(reference);
  // The digest depends only on the reference, so that every pull on every fake gives the same image.
  const digest = image.digest ?? reference.digest ?? `sha256:${sha256(`manifest of ${full}`)}`;
  const id = `sha256:${sha256(`configuration of ${digest}`)}`;
  return {
    id,
    tags: reference.tag ? [`${reference.repository}:${reference.tag}`] : [],
    digests: [`${reference.repository}@${digest}`],
    size: image.size ?? 1_000_000 + (Number.parseInt(id.slice(7, 13), 16) % 9_000_000),
    entrypoint: image.entrypoint ?? [],
    command: image.command ?? ["sh"],
    env: image.env ?? {},
    labels: image.labels ?? {},
    stopSignal: image.stopSignal,
    pinned: image.pinned ?? false,
    user: image.user,
    gid: image.gid ?? 0,
    groups: image.groups ?? [],
  };
}
