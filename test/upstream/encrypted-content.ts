import { createHmac } from "node:crypto";
import { invalid } from "./refusal.ts";

const SIGNING_KEY = "upstream-double-reasoning";

/** An opaque blob that only the same account and model may replay. */
export function sealContent(binding: string, model: string, id: string): string {
  const payload = Buffer.from(id).toString("base64url");
  return `gAAAAA${payload}.${seal(binding, model, payload)}`;
}

/** Refuses a blob that this double did not seal for this account and model. */
export function checkContent(blob: string, binding: string, model: string): void {
  const [payload, signature] = blob.replace(/^gAAAAA/, "").split(".");
  if (blob.startsWith("gAAAAA") && payload !== undefined && signature === seal(binding, model, payload)) return;
  throw invalid(
    `The encrypted content ${blob.slice(0, 8)}... could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
    null,
    "invalid_encrypted_content",
  );
}

function seal(binding: string, model: string, payload: string): string {
  return createHmac("sha256", SIGNING_KEY).update(`${binding}\n${model}\n${payload}`).digest("base64url").slice(0, 24);
}
