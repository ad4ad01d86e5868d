import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { buildAdapters, startAdapterProgram } from "../support/adapter-server.ts";
import { runtimes } from "../support/runtimes.ts";

let folder: string;

beforeAll(buildAdapters);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("processes on all runtimes at a time lose no update, and no file is ever readable by others", async () => {
  const path = join(folder, "state", "count");
  const started = runtimes.flatMap((runtime) =>
    [1, 2].map(() => startAdapterProgram(runtime, ["count", path, "15"], {}, folder)),
  );
  const modes = new Set<number>();
  const look = (): void => {
    for (const name of readdirSync(join(folder, "state"))) {
      const found = statSync(join(folder, "state", name), { throwIfNoEntry: false });
      if (found?.isFile()) modes.add(found.mode & 0o777);
    }
  };
  await expect.poll(() => readdirSync(folder)).toContain("state");
  const watcher = watch(join(folder, "state"), look);

  const codes = await Promise.all(started.map(({ exited }) => exited));
  watcher.close();

  expect(codes, started.map((child) => child.output()).join("")).toEqual(codes.map(() => 0));
  expect(Number(readFileSync(path, "utf8"))).toBe(15 * started.length);
  expect([...modes]).toEqual([0o600]);
  expect(readdirSync(join(folder, "state"))).toEqual(["count"]);
});
