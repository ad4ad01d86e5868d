import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { CredentialSession, Credentials } from "../../../src/credentials/credentials.ts";
import type { RenewalTask } from "../../../src/credentials/renew-apart.ts";
import { ACCOUNT, AUTH_PATH, type Bench, createBench, during, rejection } from "./support/bench.ts";
import { quiet } from "./support/manual-clock.ts";
import { systemError } from "./support/memory-files.ts";
import { refusal } from "./support/token-endpoint.ts";

const tokenOf = (credentials: Credentials) =>
  credentials.mode === "api_key" ? credentials.apiKey : credentials.accessToken;
const many = (session: CredentialSession, count: number) =>
  Promise.all(Array.from({ length: count }, () => session.current()));

/** Rotates as another program would and writes the result in its own formatting. */
function refreshElsewhere(bench: Bench): string {
  const file = bench.auth();
  const issued = bench.oauth.rotate(file.tokens.refresh_token ?? "");
  Object.assign(file.tokens, issued);
  bench.files.put(AUTH_PATH, JSON.stringify(file, null, 2));
  return issued.access_token;
}

describe("a due refresh", () => {
  it("is one for 50 concurrent requests, on the documented wire", async () => {
    const bench = createBench();
    const { accessToken, refreshToken } = bench.signIn(-10, { extra: { future_field: { a: 1 } } });
    const before = bench.auth();
    const all = await many(bench.session(), 50);
    expect(bench.oauth.calls).toHaveLength(1);
    expect(bench.oauth.calls[0]).toMatchObject({
      url: "https://auth.test/oauth/token",
      headers: { "content-type": "application/json", originator: "codex_cli_rs", "user-agent": expect.any(String) },
      body: {
        client_id: "app_test",
        grant_type: "refresh_token",
        refresh_token: refreshToken,
        refresh_reason: "proactive_expiry",
      },
    });
    const after = bench.auth();
    expect(after.tokens.refresh_token).not.toBe(refreshToken);
    expect(new Set(all.map(tokenOf))).toEqual(new Set([after.tokens.access_token]));
    expect(tokenOf(all[0] as Credentials)).not.toBe(accessToken);
    expect(after).toMatchObject({
      future_field: { a: 1 },
      tokens: { login_owner_id: "kept", account_id: ACCOUNT },
      last_refresh: new Date(bench.clock.now()).toISOString(),
    });
    expect(Object.keys(after)).toEqual(Object.keys(before));
    expect(bench.files.modes.get(AUTH_PATH)).toBe(0o600);
    expect(bench.refreshes).toEqual([true]);
  });

  it("happens five minutes ahead, and not before", async () => {
    const bench = createBench();
    bench.signIn(301);
    const session = bench.session();
    await session.current();
    expect(bench.oauth.calls).toHaveLength(0);
    await bench.clock.advance(1000);
    await session.current();
    expect(bench.oauth.calls).toHaveLength(1);
  });

  it("keeps the old refresh token when the answer has none", async () => {
    const bench = createBench();
    const { refreshToken } = bench.signIn(-10);
    bench.oauth.answer = ({ body }) => {
      const { access_token } = bench.oauth.rotate(body.refresh_token ?? "");
      return Response.json({ access_token });
    };
    await bench.session().current();
    expect(bench.auth().tokens.refresh_token).toBe(refreshToken);
  });

  it("is not repeated for each request when upstream issues short-lived tokens or the clock is wrong", async () => {
    const bench = createBench();
    bench.signIn(-10);
    bench.oauth.lifetime = -3600;
    const session = bench.session();
    for (let i = 0; i < 20; i++) await session.current();
    expect(bench.oauth.calls).toHaveLength(1);
  });

  it("without a new access token is a failure that loses no rotated token", async () => {
    const bench = createBench();
    bench.signIn(-10);
    bench.oauth.answer = () => Response.json({ refresh_token: "rt_rotated" });
    const session = bench.session();
    for (let i = 0; i < 10; i++) {
      expect(await rejection(session.current())).toMatchObject({
        kind: "credentials",
        code: "refresh_without_access_token",
      });
    }
    expect(bench.oauth.calls).toHaveLength(1);
    expect(bench.auth().tokens.refresh_token).toBe("rt_rotated");
    expect(bench.refreshes).toEqual([false]);
  });
});

describe("several processes on one file", () => {
  it("spend no token twice and all end with the same login", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const sessions = Array.from({ length: 4 }, () => bench.session());
    const all = (await Promise.all(sessions.map((session) => many(session, 10)))).flat();
    expect(new Set(all.map(tokenOf))).toEqual(new Set([bench.auth().tokens.access_token]));
    expect(bench.oauth.calls).toHaveLength(1);
    expect(bench.oauth.reused).toBe(0);
  });

  it("use what another program wrote while the refresh was decided", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const session = bench.session();
    let release: () => void = () => {};
    const held = bench.files.withLock(AUTH_PATH, () => new Promise<void>((done) => (release = done)));
    const answer = session.current();
    await quiet();
    const theirs = refreshElsewhere(bench);
    release();
    await held;
    expect(tokenOf(await answer)).toBe(theirs);
    expect(bench.oauth.calls).toHaveLength(0);
  });

  it("adopt the winner's login when the token was spent elsewhere first", async () => {
    const bench = createBench();
    const { refreshToken } = bench.signIn(-10);
    const session = bench.session();
    // Codex has spent the token, and writes a second later.
    const issued = bench.oauth.rotate(refreshToken);
    const answer = session.current();
    await bench.clock.advance(900);
    const file = bench.auth();
    bench.files.put(AUTH_PATH, JSON.stringify({ ...file, tokens: { ...file.tokens, ...issued } }));
    expect(tokenOf(await during(bench.clock, 1000, answer))).toBe(issued.access_token);
    expect(bench.oauth.calls).toHaveLength(1);
    expect(bench.log.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("do not let a late answer overwrite a newer login", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const session = bench.session();
    let answerNow: (response: Response) => void = () => {};
    bench.oauth.answer = () => new Promise<Response>((resolve) => (answerNow = resolve));
    const pending = session.current();
    await quiet();
    bench.oauth.answer = undefined;
    const late = bench.oauth.rotate(bench.auth().tokens.refresh_token ?? "");
    const newer = bench.signIn(3600);
    const text = bench.files.get(AUTH_PATH);
    answerNow(Response.json(late));
    expect(tokenOf(await pending)).toBe(newer.accessToken);
    expect(bench.files.get(AUTH_PATH)).toBe(text);
    expect(bench.log.map(({ event }) => event)).toContain("refresh_result_dropped");
  });

  it("do not bring a login back that was signed out meanwhile", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const session = bench.session();
    bench.oauth.answer = ({ body }) => {
      void bench.files.remove(AUTH_PATH);
      return Response.json(bench.oauth.rotate(body.refresh_token ?? ""));
    };
    expect(await rejection(session.current())).toMatchObject({ kind: "credentials" });
    expect(bench.files.get(AUTH_PATH)).toBeUndefined();
  });

  it("keep unknown fields that another program added during the refresh", async () => {
    const bench = createBench();
    bench.signIn(-10);
    bench.oauth.answer = () => {
      bench.files.put(AUTH_PATH, JSON.stringify({ ...bench.auth(), added: 1 }));
      return undefined;
    };
    await bench.session().current();
    expect(bench.auth()).toMatchObject({ added: 1 });
  });
});

describe("401 from upstream", () => {
  it("is answered by a token that is already in the file", async () => {
    const bench = createBench();
    bench.signIn(3600);
    const session = bench.session();
    const refused = await session.current();
    const theirs = refreshElsewhere(bench);
    expect(tokenOf(await session.recover(refused))).toBe(theirs);
    expect(bench.oauth.calls).toHaveLength(0);
  });

  it("leads to one refresh for all requests that were refused", async () => {
    const bench = createBench();
    bench.signIn(3600);
    const session = bench.session();
    const refused = await session.current();
    const all = await Promise.all(Array.from({ length: 50 }, () => session.recover(refused)));
    expect(bench.oauth.calls.map(({ body }) => body.refresh_reason)).toEqual(["unauthorized_recovery"]);
    expect(new Set(all.map(tokenOf)).size).toBe(1);
    expect(tokenOf(await session.recover(refused))).toBe(tokenOf(all[0] as Credentials));
    expect(bench.oauth.calls).toHaveLength(1);
  });

  it("that goes on after each renewal stops spending tokens", async () => {
    const bench = createBench();
    bench.signIn(3600);
    const session = bench.session();
    let last: unknown;
    for (let i = 0; i < 50; i++) last = await session.recover(await session.current()).catch((error: unknown) => error);
    expect(bench.oauth.calls).toHaveLength(3);
    expect(last).toMatchObject({ kind: "login_expired", code: "login_refused" });
    await bench.clock.advance(60_000);
    expect(await session.recover(await session.current())).toMatchObject({ mode: "chatgpt" });
  });

  it("does not finish a request on another account", async () => {
    const bench = createBench();
    bench.signIn(3600);
    const session = bench.session();
    const refused = await session.current();
    bench.signIn(3600, { account: "other" });
    expect(await rejection(session.recover(refused))).toMatchObject({ kind: "login_expired", code: "account_changed" });
    expect(await session.current()).toMatchObject({ accountId: "other" });
    expect(bench.oauth.calls).toHaveLength(0);
  });
});

describe("the account", () => {
  it.each([false, true])(
    "stays when the tokens of a refresh name another one (account_id absent: %s)",
    async (omitAccountId) => {
      const bench = createBench();
      bench.signIn(-10, { omitAccountId });
      bench.oauth.account = "intruder";
      const session = bench.session();
      expect(await session.current()).toMatchObject({ accountId: ACCOUNT });
      expect(await session.current()).toMatchObject({ accountId: ACCOUNT });
      expect(bench.auth().tokens.account_id).toBe(ACCOUNT);
    },
  );
});

describe("a failing token endpoint", () => {
  const html = { "content-type": "text/html" };
  const failures: [string, () => Response | Error, string, string][] = [
    ["expired", () => refusal(401, "refresh_token_expired"), "login_expired", "has expired"],
    ["reused", () => refusal(401, "refresh_token_reused"), "login_expired", "already used by another program"],
    ["invalidated", () => refusal(401, "refresh_token_invalidated"), "login_expired", "revoked"],
    ["session ended", () => refusal(401, "app_session_terminated"), "login_expired", "app_session_terminated"],
    ["401 without a code", () => new Response("nope", { status: 401 }), "login_expired", "ended the session"],
    [
      "invalid_grant",
      () => Response.json({ error: "invalid_grant" }, { status: 400 }),
      "login_expired",
      "invalid_grant",
    ],
    [
      "400",
      () => Response.json({ error: "invalid_client" }, { status: 400 }),
      "credentials",
      "refused the call (400, invalid_client)",
    ],
    ["403", () => refusal(403, "forbidden"), "credentials", "refused the call (403"],
    ["edge", () => new Response("<html>", { status: 403, headers: html }), "credentials", "edge blocked"],
    ["429", () => new Response("", { status: 429 }), "credentials", "limits the rate"],
    ["500", () => refusal(500, "server_error"), "credentials", "is failing (500)"],
    ["503", () => new Response("", { status: 503 }), "credentials", "is failing (503)"],
    ["redirect", () => new Response("", { status: 302 }), "credentials", "redirect (302)"],
    ["proxy", () => new Response("", { status: 407 }), "credentials", "outbound proxy"],
    ["not JSON", () => new Response("<html>"), "credentials", "not its protocol"],
    ["empty", () => Response.json({}), "credentials", "holds no token"],
    ["refused connection", () => systemError("ECONNREFUSED"), "credentials", "cannot be reached (ECONNREFUSED)"],
    [
      "nested DNS error",
      () => new TypeError("fetch failed", { cause: systemError("ENOTFOUND") }),
      "credentials",
      "(ENOTFOUND)",
    ],
    ["certificate", () => systemError("SELF_SIGNED_CERT_IN_CHAIN"), "credentials", "CODEX_API_PROXY_CA_BUNDLE"],
    ["nameless error", () => new Error("http://user:hunter2@proxy"), "credentials", "cannot be reached"],
  ];

  it("gives each failure its own message", () => {
    const bench = createBench();
    bench.signIn(-10);
    expect(new Set(failures.map(([, , , text]) => text)).size).toBe(failures.length);
  });

  it.each(failures)("%s: own message, one call for 50 requests, no secret", async (_name, answer, kind, text) => {
    const bench = createBench();
    const { accessToken, refreshToken } = bench.signIn(-10);
    const file = bench.files.get(AUTH_PATH);
    bench.oauth.answer = () => answer();
    const session = bench.session();
    const errors: Error[] = [];
    for (let i = 0; i < 50; i++)
      errors.push(await during(bench.clock, i === 0 ? 4000 : 0, rejection(session.current())));
    for (const error of errors) {
      expect(error).toMatchObject({ kind });
      expect(error.message).toContain(text);
    }
    expect(bench.oauth.calls).toHaveLength(1);
    expect(bench.files.get(AUTH_PATH)).toBe(file);
    expect(bench.log.filter(({ event }) => event === "token_refresh_failed")).toHaveLength(1);
    const seen = JSON.stringify([errors.map(({ message }) => message), bench.log]);
    for (const secret of [accessToken, refreshToken, "rt_quoted", "hunter2"]) expect(seen).not.toContain(secret);
    if (kind === "credentials") expect(errors[1]).toMatchObject({ status: 503, retryAfter: expect.any(Number) });
    else expect(errors[1]).toMatchObject({ status: 401, message: expect.stringContaining("codex-api-proxy login") });
  });

  it.each(failures)("%s: never fails a request whose token is still valid", async (_name, answer) => {
    const bench = createBench();
    const { accessToken } = bench.signIn(240);
    bench.oauth.answer = () => answer();
    const session = bench.session();
    for (let i = 0; i < 50; i++)
      expect(tokenOf(await during(bench.clock, i === 0 ? 4000 : 0, session.current()))).toBe(accessToken);
    expect(bench.oauth.calls).toHaveLength(1);
  });

  it("is asked again after a pause that grows, and then works", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const session = bench.session();
    bench.oauth.answer = () => new Response("", { status: 503 });
    for (let second = 0; second < 60; second++) {
      await session.current().catch(() => {});
      await bench.clock.advance(1000);
    }
    expect(bench.oauth.calls).toHaveLength(4);
    bench.oauth.answer = undefined;
    await bench.clock.advance(60_000);
    expect(await session.current()).toMatchObject({ mode: "chatgpt" });
  });

  it("may say itself how long the pause is", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const session = bench.session();
    bench.oauth.answer = () => new Response("", { status: 429, headers: { "retry-after": "120" } });
    expect(await rejection(session.current())).toMatchObject({ retryAfter: 120 });
    await bench.clock.advance(100_000);
    expect(await rejection(session.current())).toMatchObject({ retryAfter: 20 });
    expect(bench.oauth.calls).toHaveLength(1);
  });

  it("that has condemned a login is not asked again until the file holds another", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const session = bench.session();
    bench.oauth.answer = () => refusal(401, "refresh_token_expired");
    for (let hour = 0; hour < 5; hour++) {
      expect(await rejection(session.current())).toMatchObject({
        kind: "login_expired",
        code: "refresh_token_expired",
      });
      await bench.clock.advance(3_600_000);
    }
    expect(bench.oauth.calls).toHaveLength(1);
    expect(bench.log.filter(({ severity }) => severity === "error")).toHaveLength(1);
    bench.oauth.answer = undefined;
    bench.signIn(-5);
    expect(await session.current()).toMatchObject({ mode: "chatgpt" });
    expect(bench.oauth.calls).toHaveLength(2);
  });
});

describe("a hanging token endpoint", () => {
  it("delays requests by two seconds in all while the token is valid", async () => {
    const bench = createBench();
    const { accessToken } = bench.signIn(240);
    bench.oauth.answer = () => new Promise<Response>(() => {});
    const session = bench.session();
    const first = session.current();
    await bench.clock.advance(1999);
    let settled = false;
    void first.then(() => (settled = true));
    await quiet();
    expect(settled).toBe(false);
    await bench.clock.advance(1);
    expect(tokenOf(await first)).toBe(accessToken);
    expect(tokenOf(await during(bench.clock, 0, session.current()))).toBe(accessToken);
    expect(bench.oauth.calls).toHaveLength(1);
  });

  it("fails requests in seconds when the token has expired, yet still takes a late answer", async () => {
    const bench = createBench();
    bench.signIn(-10);
    let answerNow: (response: Response) => void = () => {};
    bench.oauth.answer = () => new Promise<Response>((resolve) => (answerNow = resolve));
    const session = bench.session();
    const error = await during(bench.clock, 10_000, rejection(session.current()));
    expect(error).toMatchObject({ kind: "credentials", code: "refresh_timeout", retryAfter: 5 });
    expect(await during(bench.clock, 0, rejection(session.current()))).toMatchObject({ code: "refresh_timeout" });
    const issued = bench.oauth.rotate(bench.auth().tokens.refresh_token ?? "");
    answerNow(Response.json(issued));
    await session.settled?.();
    expect(bench.auth().tokens.refresh_token).toBe(issued.refresh_token);
    expect(tokenOf(await session.current())).toBe(issued.access_token);
    expect(bench.oauth.calls).toHaveLength(1);
  });

  it("is given up after half a minute", async () => {
    const bench = createBench();
    bench.signIn(-10);
    bench.oauth.answer = () => new Promise<Response>(() => {});
    const session = bench.session();
    await during(bench.clock, 30_000, rejection(session.current()));
    expect(bench.oauth.calls[0]?.aborted()).toBe(true);
    expect((await rejection(session.current())).message).toContain("(auth.test) did not answer in time");
    expect(bench.clock.pending).toEqual([]);
  });
});

/** Writing auth.json fails, though what is tried before the refresh has worked. */
function breakAuthFile({ files }: Bench): () => void {
  const { writeTextAtomic } = files;
  files.writeTextAtomic = (path, text, mode) =>
    path === AUTH_PATH ? Promise.reject(systemError("ENOSPC")) : writeTextAtomic(path, text, mode);
  return () => {
    files.writeTextAtomic = writeTextAtomic;
  };
}

describe("a file that cannot be written", () => {
  it("stops the refresh before the token is spent when the disk is full", async () => {
    const bench = createBench();
    const { accessToken } = bench.signIn(240);
    bench.files.fail = { writeTextAtomic: systemError("ENOSPC") };
    const session = bench.session();
    expect(tokenOf(await session.current())).toBe(accessToken);
    expect((await rejection(session.recover(await session.current()))).message).toContain("(ENOSPC)");
    expect(bench.oauth.calls).toHaveLength(0);
  });

  it("stops the refresh before the token is spent when the folder is read-only", async () => {
    const bench = createBench();
    bench.signIn(-10);
    bench.files.fail = { withLock: systemError("EROFS") };
    const session = bench.session();
    for (let i = 0; i < 50; i++) {
      expect((await rejection(session.current())).message).toContain("CODEX_HOME cannot be written (EROFS)");
    }
    expect(bench.oauth.calls).toHaveLength(0);
  });

  it("does not lose the renewed login: it is used from memory, and written as soon as that works", async () => {
    const bench = createBench();
    const { refreshToken } = bench.signIn(-10);
    const mend = breakAuthFile(bench);
    const session = bench.session();
    const first = tokenOf(await session.current());
    for (let i = 0; i < 20; i++) expect(tokenOf(await session.current())).toBe(first);
    expect(bench.files.calls.writeTextAtomic).toBe(1);
    expect(bench.auth().tokens.refresh_token).toBe(refreshToken);
    mend();
    await bench.clock.advance(5000);
    await session.current();
    expect(bench.auth().tokens.access_token).toBe(first);
    expect(bench.oauth.calls).toHaveLength(1);
  });

  it("and a new login in it wins over the one in memory", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const mend = breakAuthFile(bench);
    const session = bench.session();
    await session.current();
    mend();
    const { accessToken } = bench.signIn(3600);
    await bench.clock.advance(5000);
    expect(tokenOf(await session.current())).toBe(accessToken);
    expect(bench.auth().tokens.access_token).toBe(accessToken);
  });
});

describe("a process that dies", () => {
  it.each(["stat", "readText", "withLock", "writeTextAtomic"] as const)(
    "at any %s leaves valid JSON behind",
    async (name) => {
      for (let survived = 0; survived < 6; survived++) {
        const bench = createBench();
        bench.signIn(-10);
        const original = bench.files[name].bind(bench.files) as (...args: unknown[]) => Promise<unknown>;
        let left = survived;
        Object.assign(bench.files, {
          [name]: (...args: unknown[]) => (left-- > 0 ? original(...args) : new Promise(() => {})),
        });
        bench
          .session()
          .current()
          .catch(() => {});
        await bench.clock.advance(60_000);
        for (const text of bench.files.history) expect(() => JSON.parse(text ?? "")).not.toThrow();
        const { refresh_token } = bench.auth().tokens;
        // Between the answer and the rename lies only the comparison; whatever was written is the newest token.
        if (bench.files.history.length > 1) expect(bench.oauth.spent.has(refresh_token ?? "")).toBe(false);
      }
    },
  );
});

describe("a refresh in a process of its own", () => {
  it("is asked for by a fingerprint, and its result is read from the file", async () => {
    const bench = createBench();
    const { accessToken } = bench.signIn(-10);
    const tasks: RenewalTask[] = [];
    const session = bench.session(async (task) => {
      tasks.push(task);
      refreshElsewhere(bench);
      return { renewed: true };
    });
    const all = await many(session, 20);
    expect(new Set(all.map(tokenOf))).toEqual(new Set([bench.auth().tokens.access_token]));
    expect(tasks).toEqual([
      { reason: "proactive_expiry", seen: createHash("sha256").update(accessToken).digest("hex") },
    ]);
    expect(bench.oauth.calls).toHaveLength(0);
    expect(bench.refreshes).toEqual([true]);
  });

  it("that fails is latched and told as if it had failed here", async () => {
    const bench = createBench();
    bench.signIn(-10);
    let runs = 0;
    const failure = { code: "refresh_token_expired", message: "the login has expired", permanent: true };
    const session = bench.session(async () => {
      runs++;
      return { failure };
    });
    for (let i = 0; i < 10; i++) {
      expect(await rejection(session.current())).toMatchObject({ kind: "login_expired", code: failure.code });
    }
    expect(runs).toBe(1);
  });

  it("that cannot be started is done here", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const session = bench.session(() => Promise.reject(systemError("EAGAIN")));
    expect(tokenOf(await session.current())).toBe(bench.auth().tokens.access_token);
    expect(bench.oauth.calls).toHaveLength(1);
    expect(bench.log.map(({ event }) => event)).toEqual(["renewal_in_process", "token_refreshed"]);
  });

  it("is waited for ten seconds from the lock on, as one that runs here", async () => {
    const bench = createBench();
    bench.signIn(-10);
    const session = bench.session((_task, onLocked) => {
      onLocked();
      return new Promise(() => {});
    });
    const error = await during(bench.clock, 10_000, rejection(session.current()));
    expect(error).toMatchObject({ kind: "credentials", code: "refresh_timeout" });
  });

  it("that changes nothing is a failure, not a loop", async () => {
    const bench = createBench();
    bench.signIn(-10);
    let runs = 0;
    const session = bench.session(async () => {
      runs++;
      return { renewed: false };
    });
    for (let i = 0; i < 10; i++) expect(await rejection(session.current())).toMatchObject({ kind: "credentials" });
    expect(runs).toBe(1);
  });
});
