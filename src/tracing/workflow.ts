import { isTraced } from "./channels.js";
import { WorkflowOperation } from "./operations.js";
import { outcomeOf } from "./outcome.js";
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
    try {
      const result = await operation.start(() => work(...args));
      Object.assign(subject, compact(workflow.result?.(result) ?? {}));
      operation.finish("OK");
      return result;
    } catch (error) {
      operation.finish(outcomeOf(error, signalOf(args.at(-1)) ?? defaultSignal));
      throw error;
    }
  };
  return (...args) => (isTraced() ? traced : work)(...args);
}

/** Runs a step of work that continues in the background, and publishes it as a workflow if something listens. */
export function backgroundStep<T>(origin: Origin, name: string, subject: Subject, work: () => Promise<T>): Promise<T> {
  const step = (_origin: Origin) => work();
  return asWorkflow({ name, subject: () => subject, inBackground: true }, step)(origin);
}

/** Returns the signal in call options or in a budget. */
function signalOf(last: unknown): AbortSignal | undefined {
  const { signal, caller } = Object(last) as { signal?: AbortSignal; caller?: { signal?: AbortSignal } };
  return signal ?? caller?.signal;
}
