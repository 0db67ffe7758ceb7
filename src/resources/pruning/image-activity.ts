import type { Image } from "../../proto.js";
import type { Connection } from "../../transport/connection.js";
import { plainName } from "./image-names.js";

/** An image that this client was asked for; `endedAt` is undefined while it is being pulled. */
interface ImageRequest {
  readonly reference: string;
  readonly imageRef: string | undefined;
  readonly endedAt: number | undefined;
}

/** The number of requests and of removals that are remembered. */
const maxRemembered = 10_000;

const activities = new WeakMap<object, ImageActivity>();

/** Returns the activity of a client, which it shares with the clients derived from it. */
export function imageActivity({ sharedKey }: Connection): ImageActivity {
  const activity = activities.get(sharedKey) ?? new ImageActivity();
  activities.set(sharedKey, activity);
  return activity;
}

/**
 * Remembers the images that a client was asked for and has removed lately, because CRI reports neither when an image was pulled nor
 * that a container is about to be created.
 */
class ImageActivity {
  readonly #running = new Set<ImageRequest>();
  /** The latest finished request of each reference, the oldest first. */
  readonly #finished = new Map<string, ImageRequest>();
  #removals: { readonly at: number; readonly bytes: number }[] = [];

  /** Pulls an image, and remembers when. */
  async pull(written: string, pull: () => Promise<string>): Promise<string> {
    const reference = plainName(written);
    const running: ImageRequest = { reference, imageRef: undefined, endedAt: undefined };
    this.#running.add(running);
    try {
      const imageRef = await pull();
      this.requested(reference, imageRef);
      return imageRef;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Remembers that an image is on the node, and that the client's user is about to use it. */
  requested(written: string, imageRef: string): void {
    const reference = plainName(written);
    this.#finished.delete(reference);
    this.#finished.set(reference, { reference, imageRef: plainName(imageRef), endedAt: Date.now() });
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > maxRemembered && oldest !== undefined) this.#finished.delete(oldest);
  }

  /**
   * Returns whether this client is pulling an image, or was asked for it since a time.
   *
   * @param names the names of the image, in the form of {@link plainName}
   */
  isRequested(names: readonly string[], since: number): boolean {
    const isOfImage = ({ reference, imageRef = reference }: ImageRequest) =>
      names.includes(reference) || names.includes(imageRef);
    if ([...this.#running].some(isOfImage)) return true;
    for (const request of this.#finished.values())
      if ((request.endedAt ?? 0) > since && isOfImage(request)) return true;
    return false;
  }

  /** Remembers that the client has removed an image. */
  removed({ size }: Image): void {
    this.#removals.push({ at: Date.now(), bytes: size.toNumber() });
    if (this.#removals.length > maxRemembered) this.#removals.shift();
  }

  /** Returns the size of the images that the client has removed since a time, in bytes. */
  removedSince(time: number): number {
    return this.#removals.filter(({ at }) => at >= time).reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
