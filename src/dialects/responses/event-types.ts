/**
 * Every event type of a Responses stream (https://platform.openai.com/docs/api-reference/responses-streaming). Upstream
 * mixes in others (`codex.rate_limits`, `response.metadata`, `keepalive`), which strict clients refuse.
 */
export const API_EVENTS: ReadonlySet<string> = new Set([
  "error",
  ...[
    ...["created", "queued", "in_progress", "completed", "incomplete", "failed"],
    ...["output_item.added", "output_item.done", "content_part.added", "content_part.done"],
    ...["output_text.delta", "output_text.annotation.added", "output_text.done", "refusal.delta", "refusal.done"],
    ...["reasoning_text.delta", "reasoning_text.done", "reasoning_summary_part.added", "reasoning_summary_part.done"],
    ...["reasoning_summary_text.delta", "reasoning_summary_text.done", "compaction.compacting"],
    ...["function_call_arguments.delta", "function_call_arguments.done"],
    ...["custom_tool_call_input.delta", "custom_tool_call_input.done"],
    ...["web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed"],
    ...["file_search_call.in_progress", "file_search_call.searching", "file_search_call.completed"],
    ...["image_generation_call.in_progress", "image_generation_call.generating", "image_generation_call.completed"],
    ...["image_generation_call.partial_image", "code_interpreter_call.in_progress"],
    ...["code_interpreter_call.interpreting", "code_interpreter_call.completed"],
    ...["code_interpreter_call_code.delta", "code_interpreter_call_code.done"],
    ...["shell_call_command.added", "shell_call_command.delta", "shell_call_command.done"],
    ...["shell_call_output_content.delta", "shell_call_output_content.done"],
    ...["mcp_call_arguments.delta", "mcp_call_arguments.done", "mcp_call.in_progress", "mcp_call.completed"],
    ...["mcp_call.failed", "mcp_list_tools.in_progress", "mcp_list_tools.completed", "mcp_list_tools.failed"],
    ...["audio.delta", "audio.done", "audio.transcript.delta", "audio.transcript.done"],
  ].map((name) => `response.${name}`),
]);
