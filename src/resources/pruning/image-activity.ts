import type { Image } from "../../proto.js";
import type { Connection } from "../../transport/connection.js";
import { plainName, plainNames } from "./image-names.js";

/** A pull of this client; `endedAt` is undefined while it is in progress. */
interface ObservedPull {
  readonly reference: string;
  readonly imageRef: string | undefined;
  readonly endedAt: number | undefined;
}

/** The number of finished pulls and of removals that are remembered. */
const maxRemembered = 10_000;

const activities = new WeakMap<object, ImageActivity>();

/** Returns the activity of a client, which it shares with the clients derived from it. */
export function imageActivity({ sharedKey }: Connection): ImageActivity {
  const activity = activities.get(sharedKey) ?? new ImageActivity();
  activities.set(sharedKey, activity);
  return activity;
}

/** Remembers the images that a client has pulled and removed lately, because CRI does not report when an image was pulled. */
class ImageActivity {
  readonly #running = new Set<ObservedPull>();
  /** The latest finished pull of each reference, the oldest first. */
  readonly #finished = new Map<string, ObservedPull>();
  #removals: { readonly at: number; readonly bytes: number }[] = [];

  /** Pulls an image, and remembers when. */
  async pull(written: string, pull: () => Promise<string>): Promise<string> {
    const reference = plainName(written);
    const running: ObservedPull = { reference, imageRef: undefined, endedAt: undefined };
    this.#running.add(running);
    try {
      const imageRef = await pull();
      this.#finished.delete(reference);
      this.#finished.set(reference, { reference, imageRef: plainName(imageRef), endedAt: Date.now() });
      const [oldest] = this.#finished.keys();
      if (this.#finished.size > maxRemembered && oldest !== undefined) this.#finished.delete(oldest);
      return imageRef;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Returns whether this client is pulling the image, or has pulled it in the given time. */
  isRecent(image: Image, withinMs: number): boolean {
    const names = new Set(plainNames(image));
    const since = Date.now() - withinMs;
    const recent = [...this.#finished.values()].filter(({ endedAt = 0 }) => endedAt > since);
    return [...this.#running, ...recent].some(
      ({ reference, imageRef }) => names.has(reference) || (imageRef !== undefined && names.has(imageRef)),
    );
  }

  /** Remembers that the client has removed an image of this size. */
  removed(bytes: number): void {
    this.#removals.push({ at: Date.now(), bytes });
    if (this.#removals.length > maxRemembered) this.#removals.shift();
  }

  /** Returns the size of the images that the client has removed since a time, in bytes. */
  removedSince(time: number): number {
    return this.#removals.filter(({ at }) => at >= time).reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
