import { InvalidInputError } from "../../errors.js";
import { Image, Long } from "../../proto.js";
import { sha256 } from "./ids.js";
import { formatReference, type ImageReference, parseReference } from "./reference.js";

/** An image to find on the runtime from the start, or to be found in its registry. */
export interface FakeImage {
  /** Such as `docker.io/library/busybox:1.36`; short names are completed as Docker does it. */
  reference: string;
  /**
   * The digest of its manifest: `sha256:…`. References with the same digest name one image, which then has all of them as names.
   *
   * @defaultValue one that belongs to the reference
   */
  digest?: string | undefined;
  /** What runs in front of the command, unless a container has a command of its own. @defaultValue nothing */
  entrypoint?: readonly string[] | undefined;
  /** What the image runs when a container says nothing else. @defaultValue `["sh"]` */
  command?: readonly string[] | undefined;
  /** Environment variables. @defaultValue none */
  env?: Readonly<Record<string, string>> | undefined;
  /** Labels, which verbose replies tell. @defaultValue none */
  labels?: Readonly<Record<string, string>> | undefined;
  /** What stops a container that does not say otherwise: `SIGINT`. @defaultValue `SIGTERM` */
  stopSignal?: string | undefined;
  /** In bytes. @defaultValue some megabytes, by the name */
  size?: number | undefined;
  /** Shields it from the kubelet's clean-up. @defaultValue false */
  pinned?: boolean | undefined;
  /** The numeric user of the image, or its name. @defaultValue none */
  user?: number | string | undefined;
  /** The group of a numeric {@link user}. @defaultValue 0 */
  gid?: number | undefined;
  /** The other groups that the image's user is in. @defaultValue none */
  groups?: readonly number[] | undefined;
}

/** An image as the runtime keeps it. */
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

  /** Puts an image into the store, or gives the one that is there another name. */
  add(image: FakeImage): ImageRecord {
    const reference = parseReference(image.reference);
    if (!reference) {
      throw new InvalidInputError({ field: "images", message: "no image reference", value: image.reference });
    }
    const fresh = makeImage(image, reference);
    const known = this.#images.get(fresh.id);
    const record = known ?? fresh;
    if (known) {
      for (const tag of fresh.tags) if (!known.tags.includes(tag)) known.tags.push(tag);
      for (const digest of fresh.digests) if (!known.digests.includes(digest)) known.digests.push(digest);
    }
    this.#images.set(record.id, record);
    return record;
  }

  /** By id, with or without `sha256:`, in full or the beginning of it, or by any of its names. */
  find(image: string): ImageRecord | undefined {
    const hex = image.replace(/^sha256:/, "");
    if (/^[0-9a-f]{3,64}$/.test(hex)) {
      const fitting = this.all.filter(({ id }) => id.startsWith(`sha256:${hex}`));
      if (fitting.length === 1) return fitting[0];
    }
    const reference = parseReference(image);
    if (!reference) return undefined;
    const full = formatReference(reference);
    return this.all.find(({ tags, digests }) => tags.includes(full) || digests.includes(full));
  }

  /** Takes a tag away from an image, and with its last tag the image. Does nothing for a digest. */
  untag(image: ImageRecord, name: string): void {
    const reference = parseReference(name);
    const index = reference ? image.tags.indexOf(formatReference(reference)) : -1;
    if (index < 0) return;
    image.tags.splice(index, 1);
    if (image.tags.length === 0) this.delete(image);
  }

  /** Takes the image away, under all of its names. */
  delete(image: ImageRecord): void {
    this.#images.delete(image.id);
  }
}

/** How containers name the image they run: by digest, or by id where there is none. */
export function imageRefOf(image: ImageRecord): string {
  return image.digests[0] ?? image.id;
}

/** As in a list or a status. */
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
  // What is behind a reference is a matter of the reference alone, so that every pull and every runtime agrees.
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
