import type { FileStore } from "../../../../src/platform.ts";

/** A file store in memory, shared by the "processes" of a test. */
export interface MemoryFiles extends FileStore {
  /** Writes as another program would. */
  put(path: string, text: string): void;
  get(path: string): string | undefined;
  readonly texts: ReadonlyMap<string, string>;
  readonly modes: ReadonlyMap<string, number>;
  /** Calls so far, by name. */
  readonly calls: Record<string, number>;
  /** Makes the next calls of that name throw, as long as it is set. */
  fail: Partial<Record<keyof FileStore, Error>>;
  /** Every text that a reader could have seen at auth.json. */
  readonly history: (string | undefined)[];
}

export function memoryFiles(): MemoryFiles {
  const texts = new Map<string, string>();
  const modes = new Map<string, number>();
  const stamps = new Map<string, number>();
  const calls: Record<string, number> = {};
  const locks = new Map<string, Promise<unknown>>();
  const history: (string | undefined)[] = [];
  let counter = 0;

  function put(path: string, text: string, mode = 0o644): void {
    texts.set(path, text);
    modes.set(path, mode);
    stamps.set(path, ++counter);
    if (path.endsWith("auth.json")) history.push(text);
  }

  async function step(name: keyof FileStore): Promise<void> {
    calls[name] = (calls[name] ?? 0) + 1;
    await Promise.resolve();
    const error = files.fail[name];
    if (error !== undefined) throw error;
  }

  const files: MemoryFiles = {
    texts,
    modes,
    calls,
    history,
    fail: {},
    put,
    get: (path) => texts.get(path),
    async readText(path) {
      await step("readText");
      return texts.get(path);
    },
    async writeTextAtomic(path, text, mode) {
      await step("writeTextAtomic");
      put(path, text, mode);
    },
    async append(path, text, mode) {
      await step("append");
      put(path, (texts.get(path) ?? "") + text, mode);
    },
    async rename(from, to) {
      await step("rename");
      put(to, texts.get(from) ?? "", modes.get(from));
      texts.delete(from);
    },
    async remove(path) {
      await step("remove");
      texts.delete(path);
      if (path.endsWith("auth.json")) history.push(undefined);
    },
    async makeDir() {
      await step("makeDir");
    },
    async setMode(path, mode) {
      await step("setMode");
      if (texts.has(path)) modes.set(path, mode);
      else throw systemError("ENOENT");
    },
    async stat(path) {
      await step("stat");
      const text = texts.get(path);
      if (text === undefined) return undefined;
      return { size: text.length, mode: modes.get(path) ?? 0, regular: true, stamp: String(stamps.get(path)) };
    },
    async withLock(path, work) {
      await step("withLock");
      const before = locks.get(path) ?? Promise.resolve();
      const run = before.then(work, work);
      locks.set(
        path,
        run.catch(() => {}),
      );
      return run;
    },
  };
  return files;
}

/** A system error as a runtime throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something with a path`), { code });
}
