import { imagesDialect } from "../dialects/images/index.ts";
import { ProxyError } from "../errors.ts";
import { readJsonBody } from "../http/read-body.ts";
import type { JsonObject } from "../json.ts";
import { relay } from "../relay/index.ts";
import type { Services } from "../services.ts";
import { forwardOr } from "./forward.ts";
import type { Route, RouteRequest } from "./route.ts";

/** `POST /v1/images/generations`, through upstream's image tool. */
export function imageGenerationsRoute(services: Services): Route {
  return imagesRoute(services, "/v1/images/generations", ({ request, config }) =>
    readJsonBody(request, config.bodyLimit),
  );
}

/** `POST /v1/images/edits`, a form with files or JSON with URLs. */
export function imageEditsRoute(services: Services): Route {
  return imagesRoute(services, "/v1/images/edits", async (request) => {
    const isForm = request.request.headers.get("content-type")?.startsWith("multipart/form-data");
    const body = isForm ? await readForm(request) : await readJsonBody(request.request, request.config.bodyLimit);
    if (body.image === undefined && body.images === undefined) {
      throw new ProxyError("invalid_request", "image is required", { param: "image" });
    }
    return body;
  });
}

function imagesRoute(services: Services, path: string, read: (request: RouteRequest) => Promise<JsonObject>): Route {
  return {
    method: "POST",
    path,
    handle: forwardOr(services, async (request) => {
      const sent = await read(request);
      const dialect = imagesDialect(await drawingModel(services));
      const body = dialect.readRequest(sent);
      return relay(services, {
        dialect,
        body,
        canonical: dialect.toCanonical(body, request.exchange.header),
        exchange: request.exchange,
      });
    }),
  };
}

/** The first listed model that takes hosted tools: the lite lane has none. */
async function drawingModel({ catalogue }: Services): Promise<string> {
  const models = (await catalogue.known()).filter((model) => model.listed);
  return (models.find((model) => !model.usesResponsesLite) ?? models[0])?.slug ?? "auto";
}

async function readForm({ request, config }: RouteRequest): Promise<JsonObject> {
  const size = Number(request.headers.get("content-length") ?? Number.NaN);
  if (!(size <= config.bodyLimit))
    throw new ProxyError("too_large", "the form is too large, or does not state its size");
  let form: FormData;
  try {
    const headers = { "content-type": request.headers.get("content-type") ?? "" };
    form = await new Response((await request.arrayBuffer()) as BodyInit, { headers }).formData();
  } catch (cause) {
    throw new ProxyError("invalid_request", "the form cannot be read", { cause });
  }
  const body: JsonObject = {};
  for (const name of new Set(form.keys())) {
    const values = await Promise.all(
      form.getAll(name).map((value) => (typeof value === "string" ? value : dataUrl(value))),
    );
    body[name.replace(/\[\]$/, "")] = values.length > 1 ? values : values[0];
  }
  for (const name of ["n", "output_compression"]) if (typeof body[name] === "string") body[name] = Number(body[name]);
  return body;
}

async function dataUrl(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:${file.type || "image/png"};base64,${btoa(binary)}`;
}
