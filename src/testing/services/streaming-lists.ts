import type { HandlerContext, Handlers, HandlersOf } from "../handlers.js";

type StreamingList =
  | "StreamPodSandboxes"
  | "StreamContainers"
  | "StreamContainerStats"
  | "StreamPodSandboxStats"
  | "StreamPodSandboxMetrics"
  | "StreamImages";

type Lists = Pick<
  Handlers,
  | "ListPodSandbox"
  | "ListContainers"
  | "ListContainerStats"
  | "ListPodSandboxStats"
  | "ListPodSandboxMetrics"
  | "ListImages"
>;

/** Handles the six streaming lists, in batches. An empty list is a stream without messages. */
export function streamingLists(lists: Lists, batchSize: number): HandlersOf<StreamingList> {
  const stream = <Request, Reply, Item, Message>(
    list: (request: Request, context: HandlerContext) => Reply | Promise<Reply>,
    itemsOf: (reply: Reply) => readonly Item[] | undefined,
    message: (items: Item[]) => Message,
  ) =>
    async function* (request: Request, context: HandlerContext): AsyncGenerator<Message> {
      const items = itemsOf(await list(request, context)) ?? [];
      for (let index = 0; index < items.length; index += batchSize) {
        if (context.signal.aborted) throw context.signal.reason;
        yield message(items.slice(index, index + batchSize));
      }
    };
  return {
    StreamPodSandboxes: stream(
      lists.ListPodSandbox,
      ({ items }) => items,
      (podSandboxes) => ({ podSandboxes }),
    ),
    StreamContainers: stream(
      lists.ListContainers,
      ({ containers }) => containers,
      (containers) => ({ containers }),
    ),
    StreamContainerStats: stream(
      lists.ListContainerStats,
      ({ stats }) => stats,
      (containerStats) => ({ containerStats }),
    ),
    StreamPodSandboxStats: stream(
      lists.ListPodSandboxStats,
      ({ stats }) => stats,
      (podSandboxStats) => ({ podSandboxStats }),
    ),
    StreamPodSandboxMetrics: stream(
      lists.ListPodSandboxMetrics,
      ({ podMetrics }) => podMetrics,
      (podSandboxMetrics) => ({ podSandboxMetrics }),
    ),
    StreamImages: stream(
      lists.ListImages,
      ({ images }) => images,
      (images) => ({ images }),
    ),
  };
}
