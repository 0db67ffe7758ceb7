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

/** The six lists again, as streams of batches. An empty list is a stream without a message. */
export function streamingLists(lists: Lists, batchSize: number): HandlersOf<StreamingList> {
  return {
    StreamPodSandboxes: (request, context) =>
      batches(
        context,
        batchSize,
        async () => (await lists.ListPodSandbox(request, context)).items,
        (items) => ({ podSandboxes: items }),
      ),
    StreamContainers: (request, context) =>
      batches(
        context,
        batchSize,
        async () => (await lists.ListContainers(request, context)).containers,
        (items) => ({ containers: items }),
      ),
    StreamContainerStats: (request, context) =>
      batches(
        context,
        batchSize,
        async () => (await lists.ListContainerStats(request, context)).stats,
        (items) => ({ containerStats: items }),
      ),
    StreamPodSandboxStats: (request, context) =>
      batches(
        context,
        batchSize,
        async () => (await lists.ListPodSandboxStats(request, context)).stats,
        (items) => ({ podSandboxStats: items }),
      ),
    StreamPodSandboxMetrics: (request, context) =>
      batches(
        context,
        batchSize,
        async () => (await lists.ListPodSandboxMetrics(request, context)).podMetrics,
        (items) => ({ podSandboxMetrics: items }),
      ),
    StreamImages: (request, context) =>
      batches(
        context,
        batchSize,
        async () => (await lists.ListImages(request, context)).images,
        (items) => ({ images: items }),
      ),
  };
}

async function* batches<T, M>(
  { signal }: HandlerContext,
  size: number,
  list: () => Promise<T[] | undefined>,
  message: (items: T[]) => M,
): AsyncGenerator<M> {
  const items = (await list()) ?? [];
  for (let index = 0; index < items.length; index += size) {
    if (signal.aborted) throw signal.reason;
    yield message(items.slice(index, index + size));
  }
}
