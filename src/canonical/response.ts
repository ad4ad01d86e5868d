import type { ResponseObject } from "./event.ts";

/** A finished answer: `output` is complete even where upstream's terminal event had none. */
export interface CanonicalResponse extends ResponseObject {
  output: NonNullable<ResponseObject["output"]>;
  status: "completed" | "incomplete";
}
