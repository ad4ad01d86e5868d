import { isObject, type JsonObject } from "../../json.ts";
import type { OwnServer } from "../own-server.ts";
import type { Target, TargetModel } from "./client.ts";

/** Names that the server resolves by itself; used while its catalogue cannot be had. */
const UNSEEN = { main: named("auto"), middle: named("auto"), light: named("claude-haiku") };

/**
 * A server as clients are told of it, with the limits of its live catalogue. Never throws.
 * @param wanted The user's own choice of a model for all but small things.
 */
export async function targetOf(
  server: OwnServer,
  key: string,
  wanted?: string,
): Promise<Target & { catalogue: boolean }> {
  const { baseUrl } = server;
  try {
    const list = (await server.get("/v1/models")).json;
    const entries = (Array.isArray(list?.data) ? list.data : []).filter(isObject);
    if (entries.length > 0) {
      const models = entries.map(toModel);
      return { baseUrl, key, models, catalogue: true, ...(await tiers(server, entries, wanted)) };
    }
  } catch {
    // No catalogue now: the names below work as soon as there is one.
  }
  const own = wanted === undefined ? UNSEEN : { ...UNSEEN, main: named(wanted), middle: named(wanted) };
  return { baseUrl, key, ...own, models: [own.main], catalogue: false };
}

async function tiers(
  server: OwnServer,
  entries: readonly JsonObject[],
  wanted: string | undefined,
): Promise<Pick<Target, "main" | "middle" | "light">> {
  const [opus, sonnet, haiku, own] = await Promise.all(
    ["claude-opus", "claude-sonnet", "claude-haiku", wanted].map((name) => name && resolved(server, name, entries)),
  );
  const main = wanted === undefined ? opus || newest(entries, "") : { ...(own || named(wanted)), id: wanted };
  return {
    main,
    middle: wanted === undefined ? sonnet || main : main,
    light: haiku || newest(entries, "-(?:mini|nano|luna)"),
  };
}

/** An API key's list tells of names only: the highest plain version among them. */
function newest(entries: readonly JsonObject[], suffix: string): TargetModel {
  const pattern = new RegExp(`^gpt-(\\d+)(?:\\.(\\d+))?${suffix}$`);
  const versions = entries.flatMap((entry) => {
    const match = pattern.exec(String(entry.id));
    return match ? [{ entry, version: Number(match[1]) * 1000 + Number(match[2] ?? 0) }] : [];
  });
  const [first] = versions.sort((one, other) => other.version - one.version);
  return toModel(first?.entry ?? (entries[0] as JsonObject));
}

/** The catalogue's model that a name stands for: the answer carries the name that was asked for, and the model's own title. */
async function resolved(
  server: OwnServer,
  id: string,
  entries: readonly JsonObject[],
): Promise<TargetModel | undefined> {
  const { status, json } = await server.get(`/v1/models/${encodeURIComponent(id)}`);
  if (status !== 200 || json === undefined) return undefined;
  // An API key's list has no titles.
  const { display_name: title } = json;
  const entry = entries.find((one) => one.id === json.id || (title !== undefined && one.display_name === title));
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

function named(id: string): TargetModel {
  return { id, name: id, context: undefined, output: undefined };
}
