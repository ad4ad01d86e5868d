import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

/**
 * Which folder of `src/` may import from which others; files at the top are named by themselves. The order is that of a
 * request's path: a layer knows those before it and none behind it.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  json: [],
  errors: [],
  platform: [],
  answer: ["platform"],
  config: ["errors", "json", "platform", "http", "observability"],
  observability: ["errors", "json", "upstream", "platform", "config"],
  canonical: ["errors", "json"],
  sse: ["errors"],
  tokens: ["canonical", "json"],
  stream: ["canonical", "errors", "platform", "sse"],
  dialects: ["canonical", "errors", "json", "sse"],
  sessions: ["canonical", "dialects", "errors", "json", "platform"],
  credentials: ["config", "errors", "json", "observability", "platform", "http"],
  upstream: ["canonical", "config", "credentials", "dialects", "errors", "json", "observability", "platform", "stream"],
  exchange: ["credentials", "dialects", "errors", "platform"],
  http: ["answer", "config", "errors", "exchange", "json", "observability", "platform"],
  demo: ["canonical", "credentials", "json", "platform", "sse", "stream"],
  relay: [
    "answer",
    "canonical",
    "config",
    "dialects",
    "errors",
    "exchange",
    "json",
    "observability",
    "platform",
    "stream",
    "tokens",
    "upstream",
  ],
  services: ["app", "credentials", "relay", "sessions", "tokens", "upstream"],
  routes: [
    "answer",
    "canonical",
    "config",
    "dialects",
    "errors",
    "exchange",
    "http",
    "json",
    "observability",
    "relay",
    "services",
    "sessions",
    "upstream",
    "platform",
  ],
  api: ["app", "credentials", "dialects", "http", "platform", "routes", "services"],
  app: ["api", "config", "credentials", "errors", "exchange", "http", "observability", "platform", "routes", "stream"],
  daemon: ["config", "errors", "exchange", "json", "platform"],
  cli: [
    "api",
    "app",
    "config",
    "credentials",
    "daemon",
    "demo",
    "errors",
    "http",
    "json",
    "observability",
    "platform",
    "upstream",
  ],
};

/** Types that flow against the arrows: they vanish at run time. */
const TYPE_ONLY: readonly string[] = ["services → app", "api → app", "app → api", "observability → upstream"];

interface Edge {
  file: string;
  from: string;
  to: string;
  typeOnly: boolean;
}

function layerOf(path: string): string {
  return (relative(SRC, path).split("/")[0] ?? "").replace(/\.ts$/, "");
}

function edges(): Edge[] {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return files.flatMap((name) => {
    const file = join(SRC, name);
    const imports = readFileSync(file, "utf8").matchAll(
      /(import|export)\s+(type\s)?[^;]*?from\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)/g,
    );
    return [...imports].map((match) => {
      const target = resolve(dirname(file), (match[3] ?? match[4]) as string);
      return { file: name, from: layerOf(file), to: layerOf(target), typeOnly: match[2] !== undefined };
    });
  });
}

describe("the layers of src/", () => {
  const found = edges();

  it("are really scanned", () => {
    expect(found.length).toBeGreaterThan(100);
    expect(new Set(found.map((edge) => edge.from)).size).toBeGreaterThan(12);
  });

  it("import only what their place in a request's path allows", () => {
    const wrong = found.filter(({ from, to }) => from !== to && !ALLOWED[from]?.includes(to));
    expect(wrong.map(({ file, to }) => `${file} → ${to}`)).toEqual([]);
  });

  it("use types only where an arrow points backwards", () => {
    const wrong = found.filter((edge) => TYPE_ONLY.includes(`${edge.from} → ${edge.to}`) && !edge.typeOnly);
    expect(wrong.map(({ file, to }) => `${file} → ${to}`)).toEqual([]);
  });
});
