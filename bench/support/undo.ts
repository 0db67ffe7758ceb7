/** How to take back a step. */
export type Undo = () => Promise<void>;

/** Takes back all steps, the last one first. */
export async function undo(steps: Undo[]): Promise<void> {
  for (const step of steps.splice(0).reverse()) await step();
}
