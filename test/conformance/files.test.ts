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
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adapterFiles, startAdapterProgram } from "../support/adapter-server.ts";
import { runtimes } from "../support/runtimes.ts";

let folder: string;
let home: string;
const at = (name: string): string => join(folder, name);
const modeOf = (name: string): number => statSync(at(name)).mode & 0o777;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
  home = mkdtempSync(join(tmpdir(), "home-"));
});
afterEach(() => {
  for (const path of [folder, home]) rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

describe.each(runtimes)("files on $name", (runtime) => {
  const fileStore = () => adapterFiles(runtime, home);

  describe("writeTextAtomic", () => {
    test("makes the file with its mode and leaves nothing beside it", async () => {
      await fileStore().writeTextAtomic(at("a"), "text ☃", 0o600);
      expect(readFileSync(at("a"), "utf8")).toBe("text ☃");
      expect(modeOf("a")).toBe(0o600);
      expect(readdirSync(folder)).toEqual(["a"]);
    });

    test("narrows the mode of a file that others could read", async () => {
      writeFileSync(at("a"), "old", { mode: 0o644 });
      await fileStore().writeTextAtomic(at("a"), "new", 0o600);
      expect(modeOf("a")).toBe(0o600);
    });

    test("writes the file that a symlink stands for, and the link stays", async () => {
      mkdirSync(at("real"));
      writeFileSync(at("real/a"), "old");
      symlinkSync("real/a", at("link"));
      await fileStore().writeTextAtomic(at("link"), "new", 0o600);
      expect(readFileSync(at("real/a"), "utf8")).toBe("new");
      expect(readdirSync(folder).sort()).toEqual(["link", "real"]);
      expect(readFileSync(at("link"), "utf8")).toBe("new");
    });

    test("makes the file that a dangling symlink stands for", async () => {
      mkdirSync(at("real"));
      symlinkSync(at("real/a"), at("link"));
      await fileStore().writeTextAtomic(at("link"), "new", 0o600);
      expect(readFileSync(at("real/a"), "utf8")).toBe("new");
    });

    test("keeps the old text and no temp file when the rename fails", async () => {
      mkdirSync(at("a/inner"), { recursive: true });
      await expect(fileStore().writeTextAtomic(at("a"), "new", 0o600)).rejects.toThrow();
      expect(readdirSync(folder)).toEqual(["a"]);
    });
  });

  describe("readText and stat", () => {
    test("give undefined where there is no such file, also below a file", async () => {
      writeFileSync(at("a"), "");
      expect(await fileStore().readText(at("b"))).toBeUndefined();
      expect(await fileStore().readText(at("a/b"))).toBeUndefined();
      expect(await fileStore().stat(at("b"))).toBeUndefined();
    });

    test("reject for what exists and cannot be read", async () => {
      await expect(fileStore().readText(folder)).rejects.toThrow();
    });

    test("stat tells size and mode, and its stamp changes with the content", async () => {
      writeFileSync(at("a"), "12345");
      chmodSync(at("a"), 0o640);
      utimesSync(at("a"), new Date(), new Date(2_000_000));
      const first = await fileStore().stat(at("a"));
      expect(first).toMatchObject({ size: 5, mode: 0o640 });
      expect((await fileStore().stat(at("a")))?.stamp).toBe(first?.stamp);
      utimesSync(at("a"), new Date(), new Date(1_000_000));
      expect((await fileStore().stat(at("a")))?.stamp).not.toBe(first?.stamp);
      await fileStore().writeTextAtomic(at("a"), "54321", 0o600);
      expect((await fileStore().stat(at("a")))?.stamp).not.toBe(first?.stamp);
    });
  });

  test("append creates with its mode and adds to the end", async () => {
    await fileStore().append(at("log"), "one\n", 0o600);
    await fileStore().append(at("log"), "two\n", 0o600);
    expect(readFileSync(at("log"), "utf8")).toBe("one\ntwo\n");
    expect(modeOf("log")).toBe(0o600);
  });

  test("makeDir makes the folders between and bears an existing one; remove bears a missing file", async () => {
    await fileStore().makeDir(at("x/y"), 0o700);
    await fileStore().makeDir(at("x/y"), 0o700);
    expect(modeOf("x/y")).toBe(0o700);
    await fileStore().remove(at("x/none"));
  });

  test("failures carry the system's code", async () => {
    const code = (result: Promise<unknown>) =>
      result.then(
        () => "none",
        (error) => error.code,
      );
    writeFileSync(at("a"), "");
    expect(await code(fileStore().readText(folder))).toBe("EISDIR");
    expect(await code(fileStore().append("/dev/full", "text", 0o600))).toBe("ENOSPC");
    expect(await code(fileStore().makeDir(at("a/b"), 0o700))).toBe("ENOTDIR");
    expect(await code(fileStore().setMode(at("none"), 0o600))).toBe("ENOENT");
    expect(await code(fileStore().rename(at("none"), at("b")))).toBe("ENOENT");
    expect(await code(fileStore().writeTextAtomic(at("none/b"), "text", 0o600))).toBe("ENOENT");
  });
});

test("processes on all runtimes at a time lose no update, and no file is ever readable by others", async () => {
  const path = at("state/count");
  const started = runtimes.flatMap((runtime) =>
    [1, 2].map(() => startAdapterProgram(runtime, ["count", path, "15"], {}, home)),
  );
  const modes = new Set<number>();
  const look = (): void => {
    for (const name of readdirSync(at("state"))) {
      const found = statSync(at(`state/${name}`), { throwIfNoEntry: false });
      if (found?.isFile()) modes.add(found.mode & 0o777);
    }
  };
  await expect.poll(() => readdirSync(folder)).toContain("state");
  const watcher = watch(at("state"), look);

  const codes = await Promise.all(started.map(({ exited }) => exited));
  watcher.close();

  expect(codes, started.map((child) => child.output()).join("")).toEqual(codes.map(() => 0));
  expect(Number(readFileSync(path, "utf8"))).toBe(15 * started.length);
  expect([...modes]).toEqual([0o600]);
  expect(readdirSync(at("state"))).toEqual(["count"]);
});
