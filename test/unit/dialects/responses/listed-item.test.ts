import { describe, expect, it } from "vitest";
import { toListedItem } from "../../../../src/dialects/responses/listed-item.ts";

describe("toListedItem", () => {
  it("fills in what a client may leave out", () => {
    expect(
      toListedItem({ id: "fco_1", type: "function_call_output", call_id: "c", output: "1", status: null }),
    ).toEqual({
      id: "fco_1",
      type: "function_call_output",
      call_id: "c",
      output: "1",
      status: "completed",
    });
    expect(toListedItem({ id: "rs_1", type: "reasoning", content: null })).toEqual({
      id: "rs_1",
      type: "reasoning",
      summary: [],
    });
  });

  it("gives pictures the default detail, and keeps one that was chosen", () => {
    const content = [
      { type: "input_image", image_url: "https://a.example/1.png" },
      { type: "input_image", image_url: "https://a.example/2.png", detail: "low" },
    ];
    expect(toListedItem({ id: "msg_1", type: "message", role: "user", status: "completed", content }).content).toEqual([
      { ...content[0], detail: "auto" },
      content[1],
    ]);
  });
});
