import * as fc from "fast-check";
import * as o200k from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { fileStore } from "../../../runtimes/shared/files.ts";
import type { ResponsesBody } from "../../../src/canonical/request.ts";
import { createTokenCounter } from "../../../src/tokens/counter.ts";
import { imageTokens } from "../../../src/tokens/image.ts";
import { loadTokenizer } from "../../../src/tokens/load.ts";
import { roughTokenizer } from "../../../src/tokens/tokenizer.ts";

const user = (text: string): ResponsesBody => ({
  model: "m",
  input: [{ type: "message", role: "user", content: [{ type: "input_text", text }] }],
});
const prose = "The quick brown fox jumps over the lazy dog. Pack my box with five dozen liquor jugs! ".repeat(40);

describe("createTokenCounter", () => {
  it("counts text within 5 % of the tokenizer", async () => {
    const tokenizer = await loadTokenizer(fileStore.readText);
    const counter = createTokenCounter(() => loadTokenizer(fileStore.readText));
    for (const text of [
      prose,
      "function f(a: number) { return a ** 2; }\n".repeat(50),
      "日本語のテキストです。".repeat(60),
    ]) {
      const exact = tokenizer.count(text);
      expect(Math.abs((await counter.count(user(text))) - exact) / exact).toBeLessThan(0.05);
    }
  });

  it("counts a very long text by sample, within 5 %", async () => {
    const tokenizer = await loadTokenizer(fileStore.readText);
    const long = Array.from({ length: 30_000 }, (_, i) => `line ${i}: ${prose.slice(i % 50, (i % 50) + 20)}`).join(
      "\n",
    );
    const counted = await createTokenCounter(() => loadTokenizer(fileStore.readText)).count(user(long));
    expect(Math.abs(counted - tokenizer.count(long)) / tokenizer.count(long)).toBeLessThan(0.05);
  });

  it("counts tools, results, instructions and images", async () => {
    const counter = createTokenCounter(() => loadTokenizer(fileStore.readText));
    const base = await counter.count(user("hi"));
    const tool = { type: "function", name: "f", description: prose, parameters: { type: "object" } } as const;
    expect(await counter.count({ ...user("hi"), tools: [tool] })).toBeGreaterThan(base + 500);
    expect(await counter.count({ ...user("hi"), instructions: prose })).toBeGreaterThan(base + 500);
    const output = { type: "function_call_output", call_id: "c", output: prose } as const;
    expect(await counter.count({ model: "m", input: [output] })).toBeGreaterThan(500);
    const image = {
      type: "message",
      role: "user",
      content: [{ type: "input_image", image_url: "https://x/y.png" }],
    } as const;
    expect(await counter.count({ model: "m", input: [image as never] })).toBeGreaterThan(1000);
  });

  it("corrects itself by real usage, for each model, within bounds", async () => {
    const counter = createTokenCounter(async () => roughTokenizer);
    const body = user(prose);
    const before = counter.estimate(body);
    for (let turn = 0; turn < 100; turn++) counter.learn("m", body, Math.round(before * 1.3));
    expect(counter.estimate(body) / before).toBeCloseTo(1.3, 1);
    expect(counter.estimate({ ...body, model: "other" })).toBe(before);
    for (let turn = 0; turn < 200; turn++) counter.learn("m", body, before * 100);
    expect(counter.estimate(body) / before).toBeLessThan(1.8);
  });

  it("goes on with the rough tokenizer when the real one cannot be loaded", async () => {
    const counter = createTokenCounter(async () => {
      throw new Error("no such module");
    });
    expect(await counter.count(user(prose))).toBeGreaterThan(500);
  });
});

describe("loadTokenizer", () => {
  it("truncates between characters and treats special tokens as text", async () => {
    const { truncate, count } = await loadTokenizer(fileStore.readText);
    const text = "😀👩‍👩‍👧漢字 and <|endoftext|>";
    for (let tokens = 0; tokens <= count(text); tokens++) {
      const start = truncate(text, tokens);
      expect(text.startsWith(start)).toBe(true);
      expect(count(start)).toBeLessThanOrEqual(tokens);
    }
    expect(truncate(text, 1000)).toBe(text);
  });

  it("agrees with the package's own encoder on text of any kind", async () => {
    const { count, truncate } = await loadTokenizer(fileStore.readText);
    const plain = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };
    const words = fc.constantFrom(
      " ",
      "\n\n",
      "don't",
      "Hello",
      "HTTPServer",
      "12345",
      "漢字",
      "🇩🇪",
      "  \t",
      "==>",
      "é",
      "\ud800",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(words).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, fc.nat(20), (given, tokens) => {
        const encoded = o200k.encode(given, plain);
        expect(count(given)).toBe(encoded.length);
        if (encoded.length <= tokens) expect(truncate(given, tokens)).toBe(given);
        else expect(count(truncate(given, tokens))).toBeLessThanOrEqual(tokens);
      }),
      { numRuns: 500 },
    );
    for (const given of [prose, "x".repeat(500), "function f(a: number) { return a ** 2; }\n".repeat(50)])
      expect(count(given)).toBe(o200k.countTokens(given, plain));
  });

  it("takes a word without end within a moment", async () => {
    const { count } = await loadTokenizer(fileStore.readText);
    const before = performance.now();
    expect(count("abcdefghij".repeat(50_000))).toBeGreaterThan(50_000);
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});

describe("imageTokens", () => {
  const url = (bytes: number[]) =>
    `data:image/x;base64,${Buffer.from([...bytes, ...new Array(40).fill(0)]).toString("base64")}`;
  const be32 = (n: number) => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
  it("reads the size of PNG, GIF, JPEG and WebP", () => {
    expect(
      imageTokens(
        url([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, ...be32(320), ...be32(64)]),
        "auto",
      ),
    ).toBe(20);
    expect(imageTokens(url([0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 64, 0, 33, 0]), undefined)).toBe(4);
    expect(imageTokens(url([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, 0, 32, 0, 96]), undefined)).toBe(
      3,
    );
    const vp8x = [
      0x52, 0x49, 0x46, 0x46, 0, 0, 0, 0, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x58, 10, 0, 0, 0, 0, 0, 0, 0, 63,
      0, 0, 31, 0, 0,
    ];
    expect(imageTokens(url(vp8x), undefined)).toBe(2);
  });
  it("caps large pictures and guesses what it cannot read", () => {
    expect(
      imageTokens(
        url([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, ...be32(9000), ...be32(9000)]),
        "auto",
      ),
    ).toBe(1536);
    expect(imageTokens("data:image/png;base64,!!!", "auto")).toBe(1024);
    expect(imageTokens("https://example.com/a.png", "low")).toBe(256);
  });
});
