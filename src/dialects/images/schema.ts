import { ProxyError } from "../../errors.ts";
import { isObject } from "../../json.ts";

/** A request for pictures, from JSON (`/v1/images/generations`) or from a form (`/v1/images/edits`). */
export interface ImagesBody {
  readonly prompt: string;
  readonly n: number;
  /** Pictures to edit, as `data:` or https URLs. */
  readonly images: readonly string[];
  readonly mask: string | undefined;
  /** Options of upstream's image tool, by their own names. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Fields that upstream's image tool does not know. */
  readonly dropped: readonly string[];
}

/** Fields that the tool takes as they are (https://platform.openai.com/docs/guides/tools-image-generation). */
const TOOL_OPTIONS = [
  "size",
  "quality",
  "background",
  "output_format",
  "output_compression",
  "moderation",
  "input_fidelity",
];
const READ_HERE = ["model", "prompt", "n", "image", "images", "mask", "response_format", "user", ...TOOL_OPTIONS];
const MOST_PICTURES = 10;

/** @throws ProxyError `invalid_request` with the parameter's name. */
export function readImagesRequest(json: unknown): ImagesBody {
  const body = isObject(json) ? json : {};
  if (typeof body.prompt !== "string" || body.prompt === "") throw invalid("prompt", "prompt is required");
  const n = body.n ?? 1;
  if (typeof n !== "number" || !Number.isInteger(n) || n < 1 || n > MOST_PICTURES)
    throw invalid("n", `n is a number from 1 to ${MOST_PICTURES}`);
  if (body.stream === true) throw invalid("stream", "pictures are not streamed here; leave out stream");
  if (body.response_format === "url") throw invalid("response_format", "pictures come as b64_json only");
  const given = [body.image, body.images].flat().filter((one) => one !== undefined && one !== null);
  return {
    prompt: body.prompt,
    n,
    images: given.map(imageUrl),
    mask: body.mask === undefined || body.mask === null ? undefined : imageUrl(body.mask),
    options: Object.fromEntries(
      TOOL_OPTIONS.filter((name) => body[name] !== undefined && body[name] !== null).map((name) => [name, body[name]]),
    ),
    dropped: Object.keys(body).filter(
      (name) => !READ_HERE.includes(name) && body[name] !== undefined && name !== "stream",
    ),
  };
}

function imageUrl(value: unknown): string {
  const url = isObject(value) ? value.image_url : value;
  if (typeof url === "string" && /^(data:image\/|https:\/\/)/.test(url)) return url;
  throw invalid("image", "image is a file, a data: URL or an https URL of a picture");
}

function invalid(param: string, message: string): ProxyError {
  return new ProxyError("invalid_request", message, { param });
}
