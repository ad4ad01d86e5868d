import { describe, expect, it } from "vitest";
import type { CanonicalResponse } from "../../../src/canonical/response.ts";
import { expandHistory, openHistory } from "../../../src/dialects/responses/history.ts";
import { type ResponsesClientBody, readRequest } from "../../../src/dialects/responses/schema.ts";
import { createResponseStore } from "../../../src/sessions/response-store.ts";

const store = (over = {}) => createResponseStore({ clock: { now: () => 0 }, maxEntries: 100, ttlSeconds: 60, ...over });
const body = (fields: Record<string, unknown>): ResponsesClientBody => readRequest({ model: "m", ...fields });
const answer = (id: string, text: string): CanonicalResponse => ({
  id,
  status: "completed",
  output: [
    { type: "reasoning", id: `rs_${text}`, summary: [], encrypted_content: `enc-${text}` },
    {
      type: "message",
      id: `msg_${text}`,
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
    },
  ],
});

/** Runs one turn as the route does. */
function turn(own: ReturnType<typeof store>, fields: Record<string, unknown>, id: string, text: string) {
  const opened = openHistory(body(fields), own, 7);
  opened.remember?.(answer(id, text), "ctx");
  return opened.body;
}
const texts = (input: unknown) =>
  (input as { type: string; content?: unknown; encrypted_content?: string }[]).map((item) => {
    if (item.type === "reasoning") return item.encrypted_content;
    return typeof item.content === "string" ? item.content : (item.content as { text: string }[])[0]?.text;
  });

describe("previous_response_id", () => {
  it("brings back every earlier turn in order, without its instructions", () => {
    const own = store();
    turn(own, { input: "one", instructions: "be brief" }, "resp_1", "a");
    turn(own, { input: [{ role: "user", content: "two" }], previous_response_id: "resp_1" }, "resp_2", "b");
    const third = turn(own, { input: "three", previous_response_id: "resp_2" }, "resp_3", "c");
    expect(texts(third.input)).toEqual(["one", "enc-a", "a", "two", "enc-b", "b", "three"]);
    expect(third.instructions).toBeUndefined();
    expect(third.previous_response_id).toBe("resp_2");
  });

  it("is refused in OpenAI's words when the response is not stored", () => {
    expect(() => expandHistory(body({ input: "x", previous_response_id: "resp_9" }), store())).toThrow(
      expect.objectContaining({
        status: 400,
        code: "previous_response_not_found",
        param: "previous_response_id",
        message: "Previous response with id 'resp_9' not found.",
      }),
    );
  });

  it("is not found after store:false", () => {
    const own = store();
    const opened = openHistory(body({ input: "x", store: false }), own, 7);
    expect(opened.remember).toBeUndefined();
    expect(own.get("resp_1")).toBeUndefined();
  });

  it("is not found after its lifetime", () => {
    const clock = { ms: 0, now: () => clock.ms };
    const own = store({ clock });
    turn(own, { input: "one" }, "resp_1", "a");
    clock.ms = 60_001;
    expect(() => expandHistory(body({ input: "x", previous_response_id: "resp_1" }), own)).toThrow("not found");
  });
});

describe("items by id", () => {
  it("an item_reference stands for the stored item, typed or not", () => {
    const own = store();
    turn(own, { input: "one" }, "resp_1", "a");
    const input = [
      { type: "item_reference", id: "msg_a" },
      { id: "rs_a" },
      { type: "reasoning", id: "rs_a", summary: [] },
    ];
    expect(texts(expandHistory(body({ input }), own).input)).toEqual(["a", "enc-a", "enc-a"]);
  });

  it("an unknown reference is 404", () => {
    const input = [{ type: "item_reference", id: "msg_9" }];
    expect(() => expandHistory(body({ input }), store())).toThrow(
      expect.objectContaining({ status: 404, param: "input" }),
    );
  });

  it("a request that refers to nothing is the same object", () => {
    const request = body({ input: [{ role: "user", content: "hi", id: "msg_7" }] });
    expect(expandHistory(request, store())).toBe(request);
  });

  it("a reference is stored as what it stands for", () => {
    const own = store();
    turn(own, { input: "one" }, "resp_1", "a");
    turn(own, { input: [{ id: "msg_a" }, { role: "user", content: "two" }] }, "resp_2", "b");
    expect(texts(own.history("resp_2"))).toEqual(["a", "two", "enc-b", "b"]);
  });

  it("go with the last turn that holds them", () => {
    const own = store();
    turn(own, { input: "one" }, "resp_1", "a");
    own.delete("resp_1");
    expect(own.item("msg_a")).toBeUndefined();
  });
});

describe("GET and DELETE", () => {
  it("give the response as the client saw it", () => {
    const own = store();
    turn(own, { input: "one", metadata: { k: "v" } }, "resp_1", "a");
    expect(own.get("resp_1")).toMatchObject({
      id: "resp_1",
      object: "response",
      created_at: 7,
      metadata: { k: "v" },
      store: true,
    });
  });

  it("delete one response and leave the history of those that continue it", () => {
    const own = store();
    turn(own, { input: "one" }, "resp_1", "a");
    turn(own, { input: "two", previous_response_id: "resp_1" }, "resp_2", "b");
    expect([own.delete("resp_1"), own.delete("resp_1")]).toEqual([true, false]);
    expect(own.get("resp_1")).toBeUndefined();
    expect(texts(own.history("resp_2"))).toEqual(["one", "enc-a", "a", "two", "enc-b", "b"]);
  });
});

describe("input_items", () => {
  const filled = () => {
    const own = store();
    const input = ["1", "2", "3", "4"].map((content) => ({ role: "user", content }));
    turn(own, { input }, "resp_1", "a");
    return own;
  };
  const list = (query: Record<string, string>) => filled().inputItems("resp_1", query);

  it("are listed newest first, each with type, id and status", () => {
    const page = list({});
    expect(texts(page?.data)).toEqual(["4", "3", "2", "1"]);
    expect(page?.data[0]).toMatchObject({ type: "message", status: "completed", id: expect.stringMatching(/^msg_/) });
    expect(page).toMatchObject({
      object: "list",
      has_more: false,
      first_id: page?.data[0]?.id,
      last_id: page?.data[3]?.id,
    });
  });

  it("come page by page without a gap", () => {
    const own = filled();
    const first = own.inputItems("resp_1", { limit: "3", order: "asc" });
    const second = own.inputItems("resp_1", { limit: "3", order: "asc", after: first?.last_id ?? "" });
    expect([texts(first?.data), first?.has_more]).toEqual([["1", "2", "3"], true]);
    expect([texts(second?.data), second?.has_more]).toEqual([["4"], false]);
    expect(texts(own.inputItems("resp_1", { order: "asc", before: first?.last_id ?? "" })?.data)).toEqual(["1", "2"]);
  });

  it("include earlier turns but not the answer", () => {
    const own = filled();
    turn(own, { input: "5", previous_response_id: "resp_1" }, "resp_2", "b");
    expect(texts(own.inputItems("resp_2", { order: "asc" })?.data)).toEqual(["1", "2", "3", "4", "enc-a", "a", "5"]);
  });

  it.each([{ limit: "0" }, { limit: "101" }, { limit: "x" }, { order: "up" }])("refuse %j", (query) => {
    expect(() => list(query)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it("of an unknown response are undefined", () => {
    expect(store().inputItems("resp_9", {})).toBeUndefined();
  });
});
