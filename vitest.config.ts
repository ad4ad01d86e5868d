import { defineConfig } from "vitest/config";

/** `unit` and `app` run in memory; `conformance` and `clients` start the built server on each runtime. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts", "test/upstream/**/*.test.ts"] } },
      { test: { name: "app", include: ["test/app/**/*.test.ts", "test/schema/**/*.test.ts"] } },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: "package", include: ["test/package/**/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "clients",
          include: ["test/clients/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
