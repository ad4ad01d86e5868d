import type { JsonObject } from "../../json.ts";

interface ClientTool {
  readonly description: string;
  readonly parameters: JsonObject;
}

const text = (description: string): JsonObject => ({ type: "string", description });
const integer = (description: string): JsonObject => ({ type: "integer", description });
const choice = (...values: string[]): JsonObject => ({ type: "string", enum: values });
const pair = (description: string): JsonObject => ({
  type: "array",
  items: { type: "integer" },
  minItems: 2,
  maxItems: 2,
  description,
});
const object = (properties: JsonObject, required: string[]): JsonObject => ({ type: "object", properties, required });

/**
 * The tools that Anthropic defines and the client runs, by the name before the date in their `type`, with the inputs of
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use. A request names them without a schema.
 */
const CLIENT_TOOLS: Readonly<Record<string, ClientTool>> = {
  bash: {
    description: "Run a command in a persistent bash session.",
    parameters: object(
      {
        command: text("The command to run. Required unless the tool is being restarted."),
        restart: { type: "boolean", description: "True restarts the tool." },
      },
      [],
    ),
  },
  text_editor: {
    description: "View, create and edit text files.",
    parameters: object(
      {
        command: choice("view", "create", "str_replace", "insert"),
        path: text("Path of the file or folder."),
        file_text: text("For create: the content of the new file."),
        old_str: text("For str_replace: the text to replace; it must occur exactly once."),
        new_str: text("For str_replace: the new text."),
        insert_line: integer("For insert: the line after which the text goes; 0 is the beginning."),
        insert_text: text("For insert: the text."),
        view_range: pair("For view: first and last line; -1 is the end."),
      },
      ["command", "path"],
    ),
  },
  memory: {
    description: "Keep notes between conversations as files under /memories.",
    parameters: object(
      {
        command: choice("view", "create", "str_replace", "insert", "delete", "rename"),
        path: text("Path under /memories; not for rename."),
        view_range: pair("For view: first and last line."),
        file_text: text("For create: the content."),
        old_str: text("For str_replace: the text to replace."),
        new_str: text("For str_replace: the new text."),
        insert_line: integer("For insert: the line after which the text goes."),
        insert_text: text("For insert: the text."),
        old_path: text("For rename: the present path."),
        new_path: text("For rename: the new path."),
      },
      ["command"],
    ),
  },
  computer: {
    description: "Look at and operate a computer's screen, mouse and keyboard.",
    parameters: object(
      {
        action: choice(
          "screenshot",
          "left_click",
          "right_click",
          "middle_click",
          "double_click",
          "triple_click",
          "left_click_drag",
          "left_mouse_down",
          "left_mouse_up",
          "mouse_move",
          "cursor_position",
          "scroll",
          "type",
          "key",
          "hold_key",
          "wait",
          "zoom",
        ),
        coordinate: pair("x and y in pixels."),
        start_coordinate: pair("For left_click_drag: where it starts."),
        text: text("For type: the text; for key and hold_key: the keys; for clicks and scroll: modifier keys."),
        scroll_direction: choice("up", "down", "left", "right"),
        scroll_amount: integer("For scroll: number of clicks."),
        duration: { type: "number", description: "For hold_key and wait: seconds." },
        region: { type: "array", items: { type: "integer" }, description: "For zoom: x1, y1, x2, y2." },
      },
      ["action"],
    ),
  },
};

/** Description and schema of a client-run tool by its dated type, e.g. `bash_20250124`; undefined for any other. */
export function clientTool(type: string, tool: JsonObject): ClientTool | undefined {
  const name = type.replace(/_\d{8}$/, "");
  const known = name !== type && Object.hasOwn(CLIENT_TOOLS, name) ? CLIENT_TOOLS[name] : undefined;
  if (known === undefined || name !== "computer") return known;
  const { display_width_px: width, display_height_px: height } = tool;
  return { ...known, description: `${known.description} The screen has ${String(width)} by ${String(height)} pixels.` };
}
