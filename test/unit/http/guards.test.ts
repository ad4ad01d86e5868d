import { describe, expect, it } from "vitest";
import { correlationId } from "../../../src/http/correlation-id.ts";
import { guardHost } from "../../../src/http/host-guard.ts";
import { authenticate, sha256Hex } from "../../../src/http/local-auth.ts";
import { refuseUpgrade } from "../../../src/http/websocket.ts";

const rules = { host: "127.0.0.1", allowedHosts: [], allowedOrigins: [] };

describe("guardHost", () => {
  it("lets loopback names and the bound address pass, with any port", () => {
    for (const host of [
      "localhost",
      "localhost:8765",
      "LOCALHOST:1",
      "127.0.0.1:8765",
      "127.1.2.3",
      "[::1]:8765",
      "app.localhost",
      "localhost.",
    ]) {
      expect(() => guardHost(new Headers({ host }), rules)).not.toThrow();
    }
    expect(() => guardHost(new Headers({ host: "192.168.1.5:80" }), { ...rules, host: "192.168.1.5" })).not.toThrow();
  });

  it("refuses names of others, malformed ones and none", () => {
    for (const host of [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "localhost:8765@evil.example",
      "a b",
      "192.168.1.5",
      "",
    ]) {
      expect(() => guardHost(new Headers({ host }), rules)).toThrow(expect.objectContaining({ kind: "forbidden" }));
    }
    expect(() => guardHost(new Headers(), rules)).toThrow();
  });

  it("takes names from the allow-list, and only addresses when bound to all of them", () => {
    expect(() => guardHost(new Headers({ host: "box.lan:1" }), { ...rules, allowedHosts: ["box.lan"] })).not.toThrow();
    const open = { ...rules, host: "0.0.0.0" };
    expect(() => guardHost(new Headers({ host: "10.1.2.3:1" }), open)).not.toThrow();
    expect(() => guardHost(new Headers({ host: "evil.example" }), open)).toThrow();
  });

  it("refuses web pages unless their origin is allowed, and lets programs pass", () => {
    const from = (origin: string) => new Headers({ host: "localhost", origin });
    for (const origin of ["https://evil.example", "null", "http://localhost:3000"])
      expect(() => guardHost(from(origin), rules)).toThrow();
    expect(() =>
      guardHost(from("http://localhost:3000"), { ...rules, allowedOrigins: ["http://localhost:3000"] }),
    ).not.toThrow();
    expect(() => guardHost(new Headers({ host: "localhost", "sec-fetch-mode": "cors" }), rules)).not.toThrow();
    for (const site of ["cross-site", "same-site"])
      expect(() => guardHost(new Headers({ host: "localhost", "sec-fetch-site": site }), rules)).toThrow();
    for (const site of ["same-origin", "none"])
      expect(() => guardHost(new Headers({ host: "localhost", "sec-fetch-site": site }), rules)).not.toThrow();
  });

  it("looks at the address's own host beside the header", () => {
    const headers = new Headers({ host: "localhost:8765" });
    expect(() => guardHost(headers, rules, "localhost:8765")).not.toThrow();
    expect(() => guardHost(headers, rules, "evil.example")).toThrow(/evil\.example/);
    expect(() => guardHost(new Headers(), rules, "127.0.0.1:8765")).not.toThrow();
  });
});

describe("authenticate", () => {
  const keys = async () => [
    { label: "a", sha256: await sha256Hex("key-a") },
    { label: "b", sha256: await sha256Hex("key-b") },
  ];
  it("gives the label of the key in either header and any case of Bearer", async () => {
    expect(await authenticate(new Headers({ authorization: "bEARER key-b" }), await keys())).toBe("b");
    expect(await authenticate(new Headers({ "x-api-key": "key-a" }), await keys())).toBe("a");
  });
  it("refuses a wrong key, a missing one and another scheme", async () => {
    for (const headers of [
      {},
      { authorization: "Bearer nope" },
      { authorization: "Basic key-a" },
      { "x-api-key": "" },
    ]) {
      await expect(authenticate(new Headers(headers as Record<string, string>), await keys())).rejects.toMatchObject({
        kind: "unauthorized",
      });
    }
  });
  it("asks for nothing when no key is configured", async () =>
    expect(await authenticate(new Headers(), [])).toBeUndefined());
});

describe("correlationId", () => {
  const id = (headers: Record<string, string>) => correlationId(new Headers(headers), () => "fresh");
  it("takes x-request-id, else x-correlation-id, else a fresh one", () => {
    expect(id({ "x-request-id": "a", "x-correlation-id": "b" })).toBe("a");
    expect(id({ "x-correlation-id": "b" })).toBe("b");
    expect(id({})).toBe("fresh");
  });
  it("replaces ids that are not fit for headers and logs", () => {
    for (const bad of ["", "a b", "x".repeat(129), "<script>", 'a"b', "ä"])
      expect(id({ "x-request-id": bad })).toBe("fresh");
  });
});

describe("refuseUpgrade", () => {
  it("answers 426 to a WebSocket upgrade only", () => {
    expect(() => refuseUpgrade(new Headers({ upgrade: "WebSocket" }))).toThrow(
      expect.objectContaining({ status: 426 }),
    );
    expect(() => refuseUpgrade(new Headers({ upgrade: "h2c" }))).not.toThrow();
  });
});
