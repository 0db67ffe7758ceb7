import { wasCreatedByKubelet } from "../../resources/pruning/prunable-pods.js";
import { type Finding, finding } from "../finding.js";
import type { Subject } from "../subject.js";

/** The most pods that a finding names. */
const maxShown = 5;

/** Finds out whether a kubelet uses the same runtime. */
export async function checkKubelet({ cri, callOptions }: Subject): Promise<Finding[]> {
  const pods = await cri.pods.list({}, callOptions);
  const foreign = pods.filter(wasCreatedByKubelet);
  if (foreign.length === 0) {
    return [finding("kubelet", "ok", `no pod of a kubelet among ${pods.length} pods`)];
  }
  const names = foreign.slice(0, maxShown).map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
  const more = foreign.length > maxShown ? [`and ${foreign.length - maxShown} more`] : [];
  return [
    finding("kubelet", "warning", `a kubelet runs ${foreign.length} of ${pods.length} pods`, {
      details: [...names, ...more],
      remedy:
        "Run your own pods on another runtime: a kubelet stops pods of its runtime that it does not know, and replaces its own when you stop them. Reading, logs and exec are safe.",
    }),
  ];
}
