import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileStore } from "../../../runtimes/shared/files.ts";

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a file just written has a new stamp each time: another write of the same size may leave its mtime as it is", async () => {
  writeFileSync(at("a"), "12345");
  const first = await fileStore.stat(at("a"));
  const { mtime } = statSync(at("a"));
  writeFileSync(at("a"), "54321");
  utimesSync(at("a"), mtime, mtime);
  expect((await fileStore.stat(at("a")))?.stamp).not.toBe(first?.stamp);
});

describe("withLock", () => {
  test("lets one work at a time and passes on what it gives", async () => {
    let running = 0;
    let most = 0;
    const work = async (): Promise<number> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return 7;
    };
    const results = await Promise.all([1, 2, 3].map(() => fileStore.withLock(at("auth.json"), work)));
    expect(results).toEqual([7, 7, 7]);
    expect(most).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is given back when the work fails", async () => {
    const failing = fileStore.withLock(at("auth.json"), () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await fileStore.withLock(at("auth.json"), async () => "next")).toBe("next");
  });

  test("is taken over from a process that died", async () => {
    const lock = at("auth.json.codex-api-proxy.lock");
    mkdirSync(lock);
    utimesSync(lock, new Date(0), new Date(0));
    expect(await fileStore.withLock(at("auth.json"), async () => "mine")).toBe("mine");
  });

  test("is one lock for a file and a link to it", async () => {
    writeFileSync(at("auth.json"), "{}");
    symlinkSync(at("auth.json"), at("link"));
    const seen = await fileStore.withLock(at("link"), async () => readdirSync(folder));
    expect(seen).toContain("auth.json.codex-api-proxy.lock");
  });
});
