import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { expect, it } from "vitest";
import { API_EVENTS } from "../../../../src/dialects/responses/event-types.ts";
import { violations } from "../../../schema/openapi.ts";

type SdkType = ResponseStreamEvent["type"];

it("knows every event that OpenAI's document has", () => {
  for (const type of API_EVENTS) {
    const known = violations("ResponseStreamEvent", { type }).every((text) => !text.startsWith("ResponseStreamEvent"));
    const later: SdkType[] = [
      "response.compaction.compacting",
      "response.shell_call_command.added",
      "response.shell_call_command.delta",
      "response.shell_call_command.done",
      "response.shell_call_output_content.delta",
      "response.shell_call_output_content.done",
    ];
    expect([type, known]).toEqual([type, !later.includes(type as SdkType)]);
  }
  expect(API_EVENTS.size).toBe(59);
});
