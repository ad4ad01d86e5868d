import { describe, expect, it } from "vitest";
import { GrowingText } from "../../../src/canonical/growing-text.ts";

describe("GrowingText", () => {
  it.each([0, 1, 255, 256, 257, 1_000])("is the text of %i pieces, read as often as one likes", (count) => {
    const text = new GrowingText();
    let expected = "";
    for (let i = 0; i < count; i++) {
      text.add(`${i},`);
      expected += `${i},`;
      if (i % 100 === 7) expect(`${text}`).toBe(expected);
    }
    expect(`${text}`).toBe(expected);
    expect(text.toString()).toBe(expected);
  });
});
