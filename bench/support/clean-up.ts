/** Removes what one step created. */
export type CleanUpStep = () => Promise<void>;

/** Runs the steps in reverse order. */
export async function cleanUp(steps: CleanUpStep[]): Promise<void> {
  for (const step of steps.splice(0).reverse()) await step();
}
