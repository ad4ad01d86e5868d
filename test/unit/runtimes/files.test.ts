import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileStore } from "../../../runtimes/shared/files.ts";

let folder: string;
const at = (name: string): string => join(folder, name);
const modeOf = (name: string): number => statSync(at(name)).mode & 0o777;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("writeTextAtomic", () => {
  test("makes the file with its mode and leaves nothing beside it", async () => {
    await fileStore.writeTextAtomic(at("a"), "text ☃", 0o600);
    expect(readFileSync(at("a"), "utf8")).toBe("text ☃");
    expect(modeOf("a")).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  test("narrows the mode of a file that others could read", async () => {
    writeFileSync(at("a"), "old", { mode: 0o644 });
    await fileStore.writeTextAtomic(at("a"), "new", 0o600);
    expect(modeOf("a")).toBe(0o600);
  });

  test("writes the file that a symlink stands for, and the link stays", async () => {
    mkdirSync(at("real"));
    writeFileSync(at("real/a"), "old");
    symlinkSync("real/a", at("link"));
    await fileStore.writeTextAtomic(at("link"), "new", 0o600);
    expect(readFileSync(at("real/a"), "utf8")).toBe("new");
    expect(readdirSync(folder).sort()).toEqual(["link", "real"]);
    expect(readFileSync(at("link"), "utf8")).toBe("new");
  });

  test("makes the file that a dangling symlink stands for", async () => {
    mkdirSync(at("real"));
    symlinkSync(at("real/a"), at("link"));
    await fileStore.writeTextAtomic(at("link"), "new", 0o600);
    expect(readFileSync(at("real/a"), "utf8")).toBe("new");
  });

  test("keeps the old text and no temp file when the rename fails", async () => {
    mkdirSync(at("a/inner"), { recursive: true });
    await expect(fileStore.writeTextAtomic(at("a"), "new", 0o600)).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(["a"]);
  });
});

describe("readText and stat", () => {
  test("give undefined where there is no such file, also below a file", async () => {
    writeFileSync(at("a"), "");
    expect(await fileStore.readText(at("b"))).toBeUndefined();
    expect(await fileStore.readText(at("a/b"))).toBeUndefined();
    expect(await fileStore.stat(at("b"))).toBeUndefined();
  });

  test("reject for what exists and cannot be read", async () => {
    await expect(fileStore.readText(folder)).rejects.toThrow();
  });

  test("stat tells size and mode, and its stamp changes with the content", async () => {
    writeFileSync(at("a"), "12345");
    chmodSync(at("a"), 0o640);
    utimesSync(at("a"), new Date(), new Date(2_000_000));
    const first = await fileStore.stat(at("a"));
    expect(first).toMatchObject({ size: 5, mode: 0o640 });
    expect((await fileStore.stat(at("a")))?.stamp).toBe(first?.stamp);
    utimesSync(at("a"), new Date(), new Date(1_000_000));
    expect((await fileStore.stat(at("a")))?.stamp).not.toBe(first?.stamp);
    await fileStore.writeTextAtomic(at("a"), "54321", 0o600);
    expect((await fileStore.stat(at("a")))?.stamp).not.toBe(first?.stamp);
  });

  test("a file just written has a new stamp each time: another write of the same size may leave its mtime as it is", async () => {
    writeFileSync(at("a"), "12345");
    const first = await fileStore.stat(at("a"));
    const { mtime } = statSync(at("a"));
    writeFileSync(at("a"), "54321");
    utimesSync(at("a"), mtime, mtime);
    expect((await fileStore.stat(at("a")))?.stamp).not.toBe(first?.stamp);
  });
});

test("append creates with its mode and adds to the end", async () => {
  await fileStore.append(at("log"), "one\n", 0o600);
  await fileStore.append(at("log"), "two\n", 0o600);
  expect(readFileSync(at("log"), "utf8")).toBe("one\ntwo\n");
  expect(modeOf("log")).toBe(0o600);
});

test("makeDir makes the folders between and bears an existing one; remove bears a missing file", async () => {
  await fileStore.makeDir(at("x/y"), 0o700);
  await fileStore.makeDir(at("x/y"), 0o700);
  expect(modeOf("x/y")).toBe(0o700);
  await fileStore.remove(at("x/none"));
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
