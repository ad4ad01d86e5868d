import { isObject } from "../../json.ts";
import type { HeaderReader } from "../dialect.ts";
import type { MessagesBody } from "./schema.ts";

/** Headers that name the conversation: Claude Code's, OpenCode's. */
const HEADERS = ["x-claude-code-session-id", "x-session-affinity", "x-session-id"];

/** Identity of the conversation for the prompt cache: a header, else what `metadata.user_id` tells. */
export function sessionKeyOf(body: MessagesBody, header: HeaderReader): string | undefined {
  for (const name of HEADERS) {
    const value = header(name);
    if (value) return value;
  }
  const user = body.metadata?.user_id;
  return typeof user === "string" && user !== "" ? sessionIn(user) : undefined;
}

/** Claude Code writes JSON with `session_id`, in older versions `user_<hash>_account_<uuid>_session_<uuid>`. */
function sessionIn(user: string): string {
  if (user.startsWith("{")) {
    const session = readJson(user)?.session_id;
    if (typeof session === "string" && session !== "") return session;
  }
  return /_session_([\w-]+)$/.exec(user)?.[1] ?? user;
}

function readJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
