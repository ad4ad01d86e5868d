import { describe, expect, it } from "vitest";
import type { CanonicalResponse } from "../../../src/canonical/response.ts";
import { createThreadStore } from "../../../src/sessions/thread-store.ts";

const store = (over = {}) => createThreadStore({ clock: { now: () => 0 }, maxEntries: 100, ttlSeconds: 60, ...over });
const calls: CanonicalResponse = {
  id: "resp_1",
  status: "completed",
  output: [{ type: "function_call", call_id: "call_1", name: "get_weather", arguments: '{"location":"SF"}' }],
};
const says = (text: string): CanonicalResponse => ({
  id: "resp_2",
  status: "completed",
  output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }],
});
const user = (content: unknown) => ({ role: "user", content });
const first = {
  model: "m",
  max_tokens: 500,
  system: "be brief",
  tools: [{ name: "get_weather", input_schema: { type: "object" } }],
  messages: [user("weather?")],
  thread: { type: "create" },
};
const result = { type: "tool_result", tool_use_id: "call_1", content: "sunny" };

describe("createThreadStore", () => {
  it("leaves a request without a thread alone", () => {
    const { thread: _thread, ...plain } = first;
    const opened = store().open(plain);
    expect(opened.body).toBe(plain);
    expect(opened.remember).toBeUndefined();
  });

  it("continues with the whole history, tools and system included", () => {
    const own = store();
    const created = own.open(first);
    expect(created.body).not.toHaveProperty("thread");
    created.remember?.(calls, "a1");
    const next = own.open({
      model: "m",
      max_tokens: 400,
      messages: [user([result])],
      thread: { type: "continue", previous_message_id: "msg_a1" },
    });
    expect(next.body).toMatchObject({ max_tokens: 400, system: "be brief", tools: first.tools });
    expect(next.body.messages).toEqual([
      user("weather?"),
      {
        role: "assistant",
        content: [expect.objectContaining({ type: "tool_use", id: "call_1", input: { location: "SF" } })],
      },
      user([result]),
    ]);
  });

  it("goes on from each answer, also with no new message", () => {
    const own = store();
    own.open(first).remember?.(calls, "a1");
    own
      .open({ messages: [user([result])], thread: { type: "continue", previous_message_id: "msg_a1" } })
      .remember?.(says("ok"), "a2");
    const third = own.open({ messages: [], thread: { type: "continue", previous_message_id: "msg_a2" } });
    expect((third.body.messages as { role: string }[]).map((message) => message.role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
    expect(third.body.system).toBe("be brief");
  });

  it.each(["msg_unknown", undefined])(
    "answers %s with 404 thread_not_found, so that the SDK replays",
    (previous_message_id) => {
      expect(() => store().open({ messages: [], thread: { type: "continue", previous_message_id } })).toThrow(
        expect.objectContaining({ kind: "not_found", status: 404, details: { error_code: "thread_not_found" } }),
      );
    },
  );

  it("answers an unknown kind of thread with 400 thread_unsupported_request", () => {
    expect(() => store().open({ messages: [], thread: { type: "fork" } })).toThrow(
      expect.objectContaining({ status: 400, details: { error_code: "thread_unsupported_request" } }),
    );
  });

  it("forgets a thread after its lifetime", () => {
    const clock = { ms: 0, now: () => clock.ms };
    const own = store({ clock });
    own.open(first).remember?.(calls, "a1");
    clock.ms = 60_001;
    expect(() => own.open({ messages: [], thread: { type: "continue", previous_message_id: "msg_a1" } })).toThrow();
  });
});
