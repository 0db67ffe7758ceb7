import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Far more than needed, even on a busy machine: some tests visit all pages.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    projects: [
      { extends: true, test: { name: "website", include: ["test/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/browser/*.test.ts"],
          globalSetup: ["test/browser/global-setup.ts"],
          // All files share one browser, which uses all processors.
          fileParallelism: false,
          isolate: false,
        },
      },
    ],
  },
});
