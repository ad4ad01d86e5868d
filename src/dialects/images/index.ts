import type { OutputItem } from "../../canonical/event.ts";
import type { CanonicalRequest, ContentPart } from "../../canonical/request.ts";
import type { CanonicalResponse } from "../../canonical/response.ts";
import { ProxyError } from "../../errors.ts";
import { chatDialect } from "../chat/index.ts";
import type { AnswerContext, Dialect } from "../dialect.ts";
import { type ImagesBody, readImagesRequest } from "./schema.ts";

export type { ImagesBody } from "./schema.ts";

/**
 * OpenAI's Images API (https://platform.openai.com/docs/api-reference/images) on upstream's image tool: a model of the
 * catalogue is told to use the tool with the prompt as it is.
 * @param model the catalogue model that holds the tool.
 */
export function imagesDialect(model: string): Dialect<ImagesBody> {
  return {
    name: "images",
    readRequest: readImagesRequest,
    toCanonical: (body) => toCanonical(body, model),
    isStream: () => false,
    fromCanonical,
    createEncoder() {
      throw new ProxyError("invalid_request", "pictures are not streamed here; leave out stream", { param: "stream" });
    },
    toErrorBody: chatDialect.toErrorBody,
    toErrorStatus: chatDialect.toErrorStatus,
  };
}

function toCanonical(body: ImagesBody, model: string): CanonicalRequest {
  const content: ContentPart[] = [{ type: "input_text", text: body.prompt }];
  for (const image_url of body.images) content.push({ type: "input_image", image_url });
  const mask = body.mask === undefined ? {} : { input_image_mask: { image_url: body.mask } };
  return {
    body: {
      model,
      instructions: "Make the picture that the user describes with the image tool. Pass the description on as it is.",
      input: [{ type: "message", role: "user", content }],
      tools: [{ type: "image_generation", ...body.options, ...mask }],
      tool_choice: { type: "image_generation" },
    },
    stop: [],
    copies: body.n,
    dropped: body.dropped,
    clientNames: {},
  };
}

function fromCanonical(responses: readonly CanonicalResponse[], body: ImagesBody, context: AnswerContext): object {
  const pictures = responses.flatMap((response) => response.output.flatMap(pictureOf));
  if (pictures.length === 0) throw noPicture(responses);
  const usages = responses.map((response) => response.usage);
  const sum = (read: (usage: NonNullable<(typeof usages)[number]>) => number) =>
    usages.reduce((total, usage) => total + (usage ? read(usage) : 0), 0);
  return {
    created: context.createdAt,
    ...toldOptions(body, responses),
    data: pictures,
    usage: {
      input_tokens: sum((usage) => usage.input_tokens),
      // Upstream does not tell what of it was pictures.
      input_tokens_details: { text_tokens: sum((usage) => usage.input_tokens), image_tokens: 0 },
      output_tokens: sum((usage) => usage.output_tokens),
      total_tokens: sum((usage) => usage.total_tokens),
    },
  };
}

/** What the pictures were made with, where it is a value that the answer may have: `auto` says nothing there. */
const TOLD: Readonly<Record<string, readonly unknown[]>> = {
  background: ["transparent", "opaque"],
  output_format: ["png", "webp", "jpeg"],
  size: ["1024x1024", "1024x1536", "1536x1024"],
  quality: ["low", "medium", "high"],
};

function toldOptions(body: ImagesBody, responses: readonly CanonicalResponse[]): Record<string, unknown> {
  const made = responses.flatMap((response) => response.output).find((item) => item.type === "image_generation_call");
  return Object.fromEntries(
    Object.entries(TOLD).flatMap(([name, legal]) => {
      const told = [made?.[name], body.options[name]].find((value) => legal.includes(value));
      return told === undefined ? [] : [[name, told]];
    }),
  );
}

function pictureOf(item: OutputItem): object[] {
  if (item.type !== "image_generation_call" || typeof item.result !== "string") return [];
  const revised = typeof item.revised_prompt === "string" ? { revised_prompt: item.revised_prompt } : {};
  return [{ b64_json: item.result, ...revised }];
}

/** A model that made no picture has mostly said why. */
function noPicture(responses: readonly CanonicalResponse[]): ProxyError {
  const said = responses
    .flatMap((response) => response.output)
    .flatMap((item) => (item.type === "message" ? item.content : []))
    .map((part) => (part.type === "output_text" ? part.text : part.refusal))
    .join(" ")
    .slice(0, 500);
  return new ProxyError("content_policy", `the model made no picture${said === "" ? "" : `: ${said}`}`, {
    code: "image_generation_failed",
  });
}
