import { defineConfig } from "vitest/config";

const globalSetup = ["test/support/global-setup.ts"];

/** Files that measure memory, descriptors or waits of a started server: nothing else runs beside them. */
const ALONE = ["faults-clients", "faults-growth", "login-refresh"].map((name) => `test/conformance/${name}.test.ts`);

/** In CI the machine has other work, and a started server may be late; what is broken fails every time. */
const retry = process.env.CI ? 2 : 0;

/** `unit` and `app` run in memory; `conformance`, `alone` and `clients` start the built server on each runtime. */
export default defineConfig({
  test: {
    // Most of the time of a started server's tests is waiting: two files side by side keep two cores busy.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/upstream/**/*.test.ts"],
          globalSetup,
          retry,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "app",
          include: ["test/app/**/*.test.ts", "test/schema/**/*.test.ts"],
          retry,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          exclude: ALONE,
          globalSetup: [...globalSetup, "test/support/global-adapters.ts"],
          retry,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "alone",
          include: ALONE,
          globalSetup,
          retry,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      { test: { name: "package", include: ["test/package/**/*.test.ts"], globalSetup, testTimeout: 60_000 } },
      {
        test: {
          name: "clients",
          include: ["test/clients/**/*.test.ts"],
          globalSetup,
          retry,
          testTimeout: 240_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
