import type { AttachRequest, ExecRequest, PortForwardRequest } from "../../proto.js";
import { rpcError } from "../handlers.js";
import type { Clock } from "./clock.js";
import type { IdSource } from "./ids.js";

/** What a streaming session was asked for. */
export type StreamingRequest =
  | { readonly kind: "exec"; readonly request: ExecRequest }
  | { readonly kind: "attach"; readonly request: AttachRequest }
  | { readonly kind: "portForward"; readonly request: PortForwardRequest };

const lifetimeNs = 60_000_000_000n;
const keepAtMost = 1_000;

/**
 * Streaming sessions between the RPC that asks for one and the connection that takes it up. A token is good for one
 * connection within a minute.
 */
export class StreamingSessions {
  readonly #open = new Map<string, { readonly session: StreamingRequest; readonly expires: bigint }>();

  /** @param baseUrl has the streaming server listen, and says where */
  constructor(
    private readonly ids: IdSource,
    private readonly clock: Clock,
    private readonly baseUrl: () => Promise<string>,
  ) {}

  /** The URL of a new session. */
  async open(session: StreamingRequest): Promise<string> {
    const baseUrl = await this.baseUrl();
    this.#expire();
    if (this.#open.size >= keepAtMost)
      throw rpcError("RESOURCE_EXHAUSTED", "maximum number of in-flight requests exceeded");
    const token = this.ids.token();
    this.#open.set(token, { session, expires: this.clock.now() + lifetimeNs });
    return `${baseUrl}/${session.kind.toLowerCase()}/${token}`;
  }

  /** The session of a token, which is used up by that. */
  take(token: string): StreamingRequest | undefined {
    this.#expire();
    const session = this.#open.get(token)?.session;
    this.#open.delete(token);
    return session;
  }

  /** Forgets all of them, as a runtime does that starts anew. */
  clear(): void {
    this.#open.clear();
  }

  #expire(): void {
    const now = this.clock.now();
    for (const [token, { expires }] of this.#open) if (expires <= now) this.#open.delete(token);
  }
}
