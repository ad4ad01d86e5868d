import { findNode24 } from "./runtimes.ts";

/** Before any test file: what several of them would otherwise install at once. */
export default function setup(): void {
  findNode24();
}
