/** Removes what one step made. */
export type CleanUpStep = () => Promise<void>;

/** Runs the steps, the last one first. */
export async function cleanUp(steps: CleanUpStep[]): Promise<void> {
  for (const step of steps.splice(0).reverse()) await step();
}
