import type { ProxyConfig } from "../../../../src/config/config.ts";
import type { Handler, Platform, UpstreamFetch } from "../../../../src/platform.ts";
import { fromResponse } from "../../../../src/stream/byte-source.ts";
import { toResponse } from "../../../../src/stream/web-body.ts";
import { toAbortSignal } from "../../../support/abort-signal.ts";
import { type ManualClock, manualClock } from "./manual-clock.ts";
import { type MemoryFiles, memoryFiles } from "./memory-files.ts";

/** As much of a platform as signing in and out takes. */
export interface LoginPlatform {
  readonly platform: Platform;
  readonly files: MemoryFiles;
  readonly clock: ManualClock;
  readonly out: { stdout: string; stderr: string };
  readonly opened: string[];
  /** Ports that are taken by others, and how a taken one answers `/cancel`. */
  readonly taken: Set<number>;
  /** Open listeners by port. */
  readonly listening: Map<number, Handler>;
  readonly fetched: string[];
  onCancel: () => void;
  /** The browser: gets each opened address. */
  browse: (url: string) => Promise<unknown> | unknown;
  stdin: string;
  env: Record<string, string>;
}

export function loginPlatform(): LoginPlatform {
  const files = memoryFiles();
  const clock = manualClock();
  const out = { stdout: "", stderr: "" };
  const fetchUpstream: UpstreamFetch = async (url, { method, headers, body, signal }) => {
    fake.fetched.push(`${method} ${url}`);
    if (url.endsWith("/cancel")) {
      fake.onCancel();
      return fromResponse(new Response("Login cancelled"));
    }
    const init = { method, headers, body: (body as string) ?? null, signal: signal ? toAbortSignal(signal) : null };
    return fromResponse(await fetch(url, { ...init, redirect: "manual" }));
  };
  const fake: LoginPlatform = {
    files,
    clock,
    out,
    opened: [],
    taken: new Set(),
    listening: new Map(),
    fetched: [],
    onCancel: () => {},
    browse: () => {},
    stdin: "",
    env: {},
    platform: {
      files,
      clock,
      env: (name: string) => fake.env[name],
      createFetch: () => fetchUpstream,
      stdin: { isTerminal: () => false, readText: async () => fake.stdin },
      write(stream: "stdout" | "stderr", text: string) {
        out[stream] += text;
      },
      processes: {
        openUrl: async (url: string) => {
          fake.opened.push(url);
          void Promise.resolve(fake.browse(url));
          return true;
        },
      },
      async listen(handler: Handler, { port }: { port: number }) {
        if (fake.taken.has(port)) throw Object.assign(new Error("in use"), { code: "EADDRINUSE" });
        fake.listening.set(port, handler);
        return { port, close: async () => void fake.listening.delete(port) };
      },
    } as unknown as Platform,
  };
  return fake;
}

/** A request of the browser to whatever listens on its port. */
export async function visit(fake: LoginPlatform, url: string): Promise<Response> {
  const handler = fake.listening.get(Number(new URL(url).port));
  if (handler === undefined) throw new Error(`nothing listens at ${url}`);
  return toResponse(await handler(new Request(url)));
}

export function loginConfig(authIssuer: string): ProxyConfig {
  return {
    codexHome: "/home/user/.codex",
    authIssuer,
    refreshTokenUrl: `${authIssuer}/oauth/token`,
    revokeTokenUrl: `${authIssuer}/oauth/revoke`,
    oauthClientId: "app_EMoamEEZ73f0CkXaXp7hrann",
    network: { proxyUrl: undefined, noProxy: [], extraCa: undefined },
    identity: { clientVersion: "0.169.0", originator: "codex_cli_rs", userAgent: "agent", residency: undefined },
  } as unknown as ProxyConfig;
}
