import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [{ extends: true, test: { name: "website", include: ["test/*.test.ts"] } }],
  },
});
