import { defineConfig } from "vitest/config";

const globalSetup = ["test/support/global-setup.ts"];

/** `unit` and `app` run in memory; `conformance` and `clients` start the built server on each runtime. */
export default defineConfig({
  test: {
    // Most of the time of a started server's tests is waiting: three files side by side keep two cores busy.
    maxWorkers: 3,
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts", "test/upstream/**/*.test.ts"], globalSetup } },
      { test: { name: "app", include: ["test/app/**/*.test.ts", "test/schema/**/*.test.ts"] } },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          globalSetup,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: "package", include: ["test/package/**/*.test.ts"], globalSetup, testTimeout: 60_000 } },
      {
        test: {
          name: "clients",
          include: ["test/clients/**/*.test.ts"],
          globalSetup,
          testTimeout: 240_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
