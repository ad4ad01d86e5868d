import { ProxyError } from "../errors.ts";
import type { Log } from "../observability/log.ts";
import type { Clock, FileStore } from "../platform.ts";
import {
  type ChatgptLogin,
  chatgptLogin,
  type IssuedTokens,
  parseAuthFile,
  type StoredLogin,
  withTokens,
} from "./auth-file.ts";

export interface AuthStoreDeps {
  readonly files: FileStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** auth.json, shared with Codex and other processes of this program. */
export interface AuthStore {
  readonly path: string;
  /**
   * The login in the file; undefined when there is no file. Costs one stat while the file stays the same.
   * @throws ProxyError `credentials` when the file cannot be read or holds no login.
   */
  read(options?: { readonly force: boolean }): Promise<StoredLogin | undefined>;
  /**
   * Saves what a refresh of `spent` gave, unless the file holds another login by now. Gives the login to use: the renewed
   * one, or the file's; undefined when the file is gone, because the user has signed out.
   */
  commit(spent: ChatgptLogin, issued: IssuedTokens): Promise<StoredLogin | undefined>;
  /** Rejects when a file like auth.json cannot be written beside it now: no space, no permission. */
  checkWritable(): Promise<void>;
  /** True while a renewed login is in memory only. */
  isUnsaved(): boolean;
  /** Runs `work` while no other process of this program refreshes. */
  withLock<T>(work: () => Promise<T>): Promise<T>;
}

interface Snapshot {
  readonly stamp: string;
  readonly text: string;
  readonly login: StoredLogin;
}

/** Renewed tokens that could not be written: the ones in the file are spent. */
interface Unsaved {
  readonly spent: ChatgptLogin;
  readonly issued: IssuedTokens;
  readonly renewedAt: number;
  retryAt: number;
}

/** Older Codex versions write in place: a torn file is whole again within milliseconds. */
const TORN_READS = 6;
const TORN_PAUSE_MS = 50;
const SAVE_AGAIN_MS = 5_000;

export function createAuthStore(deps: AuthStoreDeps, path: string): AuthStore {
  const { files, clock, log } = deps;
  let cached: Snapshot | { readonly stamp: string; readonly error: unknown } | undefined;
  let unsaved: Unsaved | undefined;

  async function load(force: boolean): Promise<Snapshot | undefined> {
    // Stamp before text: a write in between makes the next stamp differ, never the other way round.
    const stat = await files.stat(path).catch(unreadable);
    if (stat === undefined) {
      cached = undefined;
      return undefined;
    }
    if (!stat.regular) throw new ProxyError("credentials", "auth.json is not a regular file: its login cannot be read");
    if (force || cached?.stamp !== stat.stamp) cached = await loadAs(stat.stamp);
    if (cached === undefined) return undefined;
    if ("error" in cached) throw cached.error;
    return cached;
  }

  /** What is wrong with the text is kept with it. */
  async function loadAs(stamp: string): Promise<typeof cached> {
    for (let attempt = 1; ; attempt++) {
      // Not kept: with another mode, or a free descriptor, the same file can be read the next time.
      const text = await files.readText(path).catch(unreadable);
      if (text === undefined) return undefined;
      try {
        return { stamp, text, login: parseAuthFile(text) };
      } catch (error) {
        if (attempt === TORN_READS || isJson(text)) return { stamp, error };
        await clock.sleep(TORN_PAUSE_MS);
      }
    }
  }

  async function read({ force } = { force: false }): Promise<StoredLogin | undefined> {
    const snapshot = await load(force);
    if (unsaved === undefined) return snapshot?.login;
    if (!holds(snapshot?.login, unsaved.spent)) {
      unsaved = undefined;
      return snapshot?.login;
    }
    const { spent, issued, renewedAt } = unsaved;
    if (clock.now() >= unsaved.retryAt) {
      unsaved.retryAt = clock.now() + SAVE_AGAIN_MS;
      await save(snapshot?.text ?? "{}", unsaved);
    }
    return renewed(spent, issued, renewedAt);
  }

  /** Never throws: the renewed tokens are in use from memory until the file takes them. */
  async function save(text: string, { spent, issued, renewedAt }: Unsaved): Promise<void> {
    try {
      await files.writeTextAtomic(path, withTokens(text, spent, issued, renewedAt), 0o600);
      unsaved = undefined;
      cached = undefined;
    } catch (cause) {
      log.write("credentials", "error", "auth_file_not_written", {
        message:
          "the renewed login could not be written to auth.json; it is used from memory and written as soon as that works",
        reason: systemCode(cause),
      });
    }
  }

  async function commit(spent: ChatgptLogin, issued: IssuedTokens): Promise<StoredLogin | undefined> {
    const before = cached !== undefined && "text" in cached ? cached.text : undefined;
    // A file that stays torn is what an interrupted writer left of the login that was just spent: mended from memory.
    const torn = (): Snapshot | undefined =>
      before === undefined ? undefined : { stamp: "", text: before, login: spent };
    const snapshot = await load(true).catch(torn);
    if (snapshot === undefined) return undefined;
    if (!holds(snapshot.login, spent, issued)) {
      log.write("credentials", "warning", "refresh_result_dropped", {
        message: "auth.json was changed to another login during the refresh; the newer one is used",
      });
      return snapshot.login;
    }
    const renewedAt = clock.now();
    unsaved = { spent, issued, renewedAt, retryAt: renewedAt + SAVE_AGAIN_MS };
    await save(snapshot.text, unsaved);
    return renewed(spent, issued, renewedAt);
  }

  async function checkWritable(): Promise<void> {
    const probe = `${path}.codex-api-proxy.tmp`;
    const size = cached !== undefined && "text" in cached ? cached.text.length : 0;
    await files.writeTextAtomic(probe, " ".repeat(size + 4096), 0o600);
    await files.remove(probe);
  }

  return {
    path,
    read,
    commit,
    checkWritable,
    isUnsaved: () => unsaved !== undefined,
    withLock: (work) => files.withLock(path, work),
  };
}

/**
 * True while the file still holds the login whose refresh token was spent. Where the answer brought no new refresh token,
 * a changed access token is another process's, and newer.
 */
function holds(login: StoredLogin | undefined, spent: ChatgptLogin, issued?: IssuedTokens): boolean {
  if (login?.mode !== "chatgpt" || login.refreshToken !== spent.refreshToken) return false;
  return issued === undefined || issued.refreshToken !== undefined || login.accessToken === spent.accessToken;
}

function renewed(spent: ChatgptLogin, issued: IssuedTokens, now: number): ChatgptLogin {
  return chatgptLogin({
    accessToken: issued.accessToken ?? spent.accessToken,
    refreshToken: issued.refreshToken ?? spent.refreshToken,
    idToken: issued.idToken ?? spent.idToken,
    accountId: spent.accountId,
    lastRefresh: now,
  });
}

function unreadable(cause: unknown): never {
  const reason = systemCode(cause);
  throw new ProxyError("credentials", `auth.json cannot be read (${reason}): check its owner and permissions`, {
    cause,
  });
}

function systemCode(cause: unknown): string {
  const code = cause instanceof Error ? (cause as { code?: unknown }).code : undefined;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : "unknown reason";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
