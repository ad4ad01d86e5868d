import { isObject, type JsonObject } from "../../json.ts";
import type { OwnServer } from "../own-server.ts";
import type { Target, TargetModel } from "./client.ts";

/** Names that the server resolves by itself; used while its catalogue cannot be had. */
const UNKNOWN_MAIN: TargetModel = { id: "auto", name: "auto", context: undefined, output: undefined };
const UNKNOWN_LIGHT: TargetModel = { ...UNKNOWN_MAIN, id: "claude-haiku", name: "claude-haiku" };

/** A server as clients are told of it, with the limits of its live catalogue. Never throws. */
export async function targetOf(server: OwnServer, key: string): Promise<Target & { catalogue: boolean }> {
  const { baseUrl } = server;
  try {
    const list = (await server.get("/v1/models")).json;
    const entries = (Array.isArray(list?.data) ? list.data : []).filter(isObject);
    const models = entries.map(toModel);
    const main = await resolved(server, UNKNOWN_MAIN, entries);
    const light = await resolved(server, UNKNOWN_LIGHT, entries);
    if (models.length > 0)
      return { baseUrl, key, main: main ?? UNKNOWN_MAIN, light: light ?? UNKNOWN_LIGHT, models, catalogue: true };
  } catch {
    // No catalogue now: the names below work as soon as there is one.
  }
  return { baseUrl, key, main: UNKNOWN_MAIN, light: UNKNOWN_LIGHT, models: [UNKNOWN_MAIN], catalogue: false };
}

/** The catalogue's model that a name stands for: the answer carries the name that was asked for, and the model's own title. */
async function resolved(
  server: OwnServer,
  { id }: TargetModel,
  entries: readonly JsonObject[],
): Promise<TargetModel | undefined> {
  const { status, json } = await server.get(`/v1/models/${id}`);
  const entry = status === 200 ? entries.find((one) => one.display_name === json?.display_name) : undefined;
  return entry && toModel(entry);
}

function toModel({ id, display_name, context_window, max_output_tokens }: JsonObject): TargetModel {
  const tokens = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  return {
    id: String(id),
    name: typeof display_name === "string" ? display_name : String(id),
    context: tokens(context_window),
    output: tokens(max_output_tokens),
  };
}
