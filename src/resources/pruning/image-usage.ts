import { invalid, requiredString } from "../../input/check.js";
import { type FieldsOf, ObjectReader } from "../../input/object-reader.js";
import { isRecord } from "../../internal/record.js";
import type { Image } from "../../proto.js";
import { plainName } from "./image-names.js";

/** When an image was on the node and in use, as far as it was recorded. */
export interface ImageTimes {
  /** When the image was first recorded. */
  readonly firstSeen: Date;
  /** When a container, running or exited, was last recorded to use the image; `undefined` if none was. */
  readonly lastUsed: Date | undefined;
}

/** The content of an {@link ImageUsage} as JSON. Times are in RFC 3339. */
export interface SavedImageUsage {
  /** When usage was first recorded. */
  since?: string | undefined;
  /** The images by id. */
  images: Record<string, { firstSeen: string; lastUsed?: string | undefined }>;
}

const savedFields: FieldsOf<SavedImageUsage> = { since: true, images: true };
const timesFields: FieldsOf<SavedImageUsage["images"][string]> = { firstSeen: true, lastUsed: true };

interface Times {
  readonly firstSeen: number;
  readonly lastUsed: number | undefined;
}

/**
 * Remembers when the images of one node were used. CRI does not report this, so a program must record it again and again:
 * `images.recordUsage`. `images.prune` with `unusedForMs` reads it, and records as well.
 *
 * Usage between two recordings goes unnoticed if its container was also removed in between. `JSON.stringify(usage)` saves the state
 * for a later process: `new ImageUsage(JSON.parse(saved))`.
 */
export class ImageUsage {
  #since: number | undefined;
  #images = new Map<string, Times>();

  /** @throws InvalidInputError if the saved state is invalid */
  constructor(saved?: SavedImageUsage) {
    if (saved === undefined) return;
    const reader = new ObjectReader(saved, "saved", savedFields);
    this.#since = reader.optional("since", time);
    this.#images = reader.read("images", savedImages);
  }

  /** Returns when an image was used; `undefined` if it was not on the node at the last recording. */
  get(image: Pick<Image, "id">): ImageTimes | undefined {
    const times = this.#images.get(plainName(image.id));
    if (times === undefined) return undefined;
    const { firstSeen, lastUsed } = times;
    return { firstSeen: new Date(firstSeen), lastUsed: lastUsed === undefined ? undefined : new Date(lastUsed) };
  }

  toJSON(): SavedImageUsage {
    const images = [...this.#images].map(([id, { firstSeen, lastUsed }]) => [
      id,
      {
        firstSeen: new Date(firstSeen).toISOString(),
        ...(lastUsed !== undefined && { lastUsed: new Date(lastUsed).toISOString() }),
      },
    ]);
    return {
      ...(this.#since !== undefined && { since: new Date(this.#since).toISOString() }),
      images: Object.fromEntries(images),
    };
  }

  /** @internal Records the images of the node, and forgets all others. */
  record(images: readonly Image[], isUsed: (image: Image) => boolean): void {
    const now = Date.now();
    this.#since ??= now;
    this.#images = new Map(
      images.map((image) => {
        const id = plainName(image.id);
        const before = this.#images.get(id);
        return [id, { firstSeen: before?.firstSeen ?? now, lastUsed: isUsed(image) ? now : before?.lastUsed }];
      }),
    );
  }

  /** @internal Returns since when the image is unused, in milliseconds since the epoch. */
  unusedSince({ id }: Image): number {
    const times = this.#images.get(plainName(id));
    return times === undefined ? Date.now() : Math.max(times.firstSeen, times.lastUsed ?? 0);
  }

  /** @internal Returns whether the image appeared on the node in the given time. Images of the first recording did not. */
  appearedWithin({ id }: Image, withinMs: number): boolean {
    const { firstSeen = 0 } = this.#images.get(plainName(id)) ?? {};
    return firstSeen > (this.#since ?? 0) && firstSeen > Date.now() - withinMs;
  }
}

function savedImages(value: unknown, field: string): Map<string, Times> {
  if (!isRecord(value)) return invalid(field, "must be an object", value);
  const entries = Object.entries(value).map(([id, times]): [string, Times] => {
    const reader = new ObjectReader(
      times as SavedImageUsage["images"][string],
      `${field}[${JSON.stringify(id)}]`,
      timesFields,
    );
    return [plainName(id), { firstSeen: reader.read("firstSeen", time), lastUsed: reader.optional("lastUsed", time) }];
  });
  return new Map(entries);
}

function time(value: unknown, field: string): number {
  const ms = Date.parse(requiredString(value, field));
  return Number.isNaN(ms) ? invalid(field, "must be a time in RFC 3339", value) : ms;
}
