import type { ContainerFacts } from "./pod-plan-types.js";

/** Stands for what only the run knows. */
export const placeholderFacts: ContainerFacts = {
  podSandboxId: "<pod sandbox>",
  podIPs: ["<pod IP>"],
  attempt: 0,
  image: { id: "<image>", username: "<user of the image>" },
  imageVolumes: {},
};
