import type { AttachRequest, ExecRequest, PortForwardRequest } from "../../proto.js";
import { rpcError } from "../handlers.js";
import type { Clock } from "./clock.js";
import type { IdSource } from "./ids.js";

/** The request for a streaming session. */
export type StreamingRequest =
  | { readonly kind: "exec"; readonly request: ExecRequest }
  | { readonly kind: "attach"; readonly request: AttachRequest }
  | { readonly kind: "portForward"; readonly request: PortForwardRequest };

const lifetimeNs = 60_000_000_000n;
const maxPendingSessions = 1_000;

/**
 * Holds streaming sessions from the RPC that requests them until a client connects. A token is valid for one connection within a
 * minute.
 */
export class StreamingSessions {
  readonly #open = new Map<string, { readonly session: StreamingRequest; readonly expires: bigint }>();

  /** @param baseUrl starts the streaming server if needed, and resolves with the beginning of its URLs */
  constructor(
    private readonly ids: IdSource,
    private readonly clock: Clock,
    private readonly baseUrl: () => Promise<string>,
  ) {}

  /** Adds a session and returns its URL. */
  async open(session: StreamingRequest): Promise<string> {
    const baseUrl = await this.baseUrl();
    this.#expire();
    if (this.#open.size >= maxPendingSessions)
      throw rpcError("RESOURCE_EXHAUSTED", "maximum number of in-flight requests exceeded");
    const token = this.ids.token();
    this.#open.set(token, { session, expires: this.clock.now() + lifetimeNs });
    return `${baseUrl}/${session.kind.toLowerCase()}/${token}`;
  }

  /** Returns the session of a token. The token is then no longer valid. */
  take(token: string): StreamingRequest | undefined {
    this.#expire();
    const session = this.#open.get(token)?.session;
    this.#open.delete(token);
    return session;
  }

  /** Removes all sessions, like a restart of a runtime. */
  clear(): void {
    this.#open.clear();
  }

  #expire(): void {
    const now = this.clock.now();
    for (const [token, { expires }] of this.#open) if (expires <= now) this.#open.delete(token);
  }
}
