import { isTraced } from "./channels.js";
import { currentOperation } from "./operation.js";
import { WorkflowOperation } from "./operations.js";
import { finishWith } from "./outcome.js";
import { compact, type OperationSubject } from "./subject.js";

/** The part of a connection that operations need. */
interface Origin {
  readonly endpoint: string;
  /** The default signal of calls. */
  readonly signal?: AbortSignal | undefined;
}

type Subject = { readonly [K in keyof OperationSubject]?: string | undefined };

/** How to describe a workflow to listeners. */
export interface Workflow<Args extends readonly unknown[], Result> {
  /** The public method, such as `containers.run`. */
  name: string;
  /** Returns the objects that are known at the start. The arguments have not been checked. @defaultValue none */
  subject?: (args: Args) => Subject;
  /** Returns the objects that are known at the end. */
  result?: (result: Result) => Subject;
  /**
   * Returns a promise that settles when the workflow has ended, if that is later than its result.
   *
   * @defaultValue the workflow ends with its result
   */
  until?: (result: Result) => Promise<unknown>;
  /** Returns the outcome of a result that is a failure. @defaultValue every result is a success */
  failure?: (result: Result) => string | undefined;
  /** Whether each run is a step of work in the background. @defaultValue false */
  inBackground?: boolean;
}

/**
 * Returns a function that runs a workflow of several calls, and publishes it if something listens.
 *
 * @param work its first argument has the connection; the last one may be options or a budget with the signal of the caller
 */
export function asWorkflow<Args extends [Origin | { readonly connection: Origin }, ...unknown[]], Result>(
  workflow: Workflow<NoInfer<Args>, NoInfer<Result>>,
  work: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  const traced = async (...args: Args): Promise<Result> => {
    const [first] = args;
    const { endpoint, signal: defaultSignal } = "connection" in first ? first.connection : first;
    const subject = compact(workflow.subject?.(args) ?? {});
    const operation = new WorkflowOperation(workflow.name, endpoint, subject, workflow.inBackground);
    const fail = (error: unknown) => finishWith(operation, error, signalOf(args.at(-1)) ?? defaultSignal);
    try {
      const result = await operation.start(() => work(...args));
      Object.assign(subject, compact(workflow.result?.(result) ?? {}));
      const succeed = () => operation.finish(workflow.failure?.(result) ?? "OK");
      if (workflow.until) workflow.until(result).then(succeed, fail);
      else succeed();
      return result;
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  return (...args) => (isTraced() ? traced : work)(...args);
}

/** Runs work, and publishes it as a workflow if something listens. */
export function inWorkflow<T>(
  origin: Origin,
  { subject, ...workflow }: Omit<Workflow<never, T>, "subject"> & { subject: Subject },
  work: () => Promise<T>,
): Promise<T> {
  return asWorkflow({ ...workflow, subject: () => subject }, (_origin: Origin) => work())(origin);
}

/** Runs a step of work that continues in the background, and publishes it as a workflow if something listens. */
export function backgroundStep<T>(origin: Origin, name: string, subject: Subject, work: () => Promise<T>): Promise<T> {
  return inWorkflow(origin, { name, subject, inBackground: true }, work);
}

/** Adds the reason of an event of a pod to the workflow that the current code is a part of, if something listens. */
export function recordEvent(reason: string): void {
  let operation = currentOperation();
  while (operation && !(operation instanceof WorkflowOperation)) operation = operation.parent;
  if (operation?.outcome === undefined) operation?.events.push(reason);
}

/** Returns the signal in call options or in a budget. */
function signalOf(last: unknown): AbortSignal | undefined {
  const { signal, caller } = Object(last) as { signal?: AbortSignal; caller?: { signal?: AbortSignal } };
  return signal ?? caller?.signal;
}
