import { describe, expect, test } from "vitest";
import { bypassesProxy } from "../../../runtimes/shared/upstream/no-proxy.ts";
import { proxyFor } from "../../../runtimes/shared/upstream/outbound-proxy.ts";

describe("bypassesProxy", () => {
  test.each([
    ["https://chatgpt.com/", "*", true],
    ["https://chatgpt.com/", "", false],
    ["https://chatgpt.com/", "chatgpt.com", true],
    ["https://chatgpt.com/", " ChatGPT.com ", true],
    ["https://api.openai.com/", "openai.com", true],
    ["https://notopenai.com/", "openai.com", false],
    ["https://api.openai.com/", ".openai.com", true],
    ["https://openai.com/", ".openai.com", false],
    ["https://api.openai.com/", "*.openai.com", true],
    ["https://chatgpt.com/", "chatgpt.com:443", true],
    ["https://chatgpt.com:8443/", "chatgpt.com:443", false],
    ["http://localhost/", "localhost:80", true],
    ["https://localhost:9000/", "*:9000", true],
    ["https://127.0.0.1/", "127.0.0.1", true],
    ["https://9.1.2.3/", "1.2.3", false],
    ["https://10.1.2.3/", "10.0.0.0/8", true],
    ["https://11.1.2.3/", "10.0.0.0/8", false],
    ["https://10.1.2.3/", "0.0.0.0/0", true],
    ["https://10.1.2.3/", "10.0.0.0/33", false],
    ["https://chatgpt.com/", "10.0.0.0/8", false],
    ["https://[::1]/", "::1", true],
    ["https://[::1]:8443/", "[::1]:8443", true],
    ["https://[::1]:8443/", "[::1]:443", false],
    ["https://chatgpt.com./", "chatgpt.com", true],
  ])("%s with %j: %s", (url, entry, expected) => {
    expect(bypassesProxy(new URL(url), ["other.example", entry])).toBe(expected);
  });
});

describe("proxyFor", () => {
  const network = { proxyUrl: "http://proxy:3128", noProxy: ["internal.example"], extraCa: undefined };

  test.each([
    ["https://chatgpt.com/", "http://proxy:3128"],
    ["https://internal.example/", undefined],
    ["http://127.0.0.1:9000/", undefined],
  ])("%s goes to %s", (url, expected) => {
    expect(proxyFor(new URL(url), network)).toBe(expected);
  });

  test("without a proxy everything is direct", () => {
    expect(proxyFor(new URL("https://chatgpt.com/"), { ...network, proxyUrl: undefined })).toBeUndefined();
  });
});
