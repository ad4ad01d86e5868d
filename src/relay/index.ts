import type { Answer } from "../platform.ts";
import { createPath } from "./answer-path.ts";
import type { RelayDeps, RelayRequest } from "./request.ts";
import { streamed } from "./streamed.ts";
import { whole } from "./whole.ts";

export type { RelayDeps } from "./request.ts";

/** Under a limit of so many tokens the tokenizer is loaded at once; under others when it comes into reach: it is large. */
const SOON_REACHED = 256;

/**
 * The data path: canonical request → upstream → events → the client's own grammar, whole or streamed.
 * @throws ProxyError while there is no answer yet; afterwards a failure ends the stream in the dialect's own way.
 */
export async function relay<Body>(deps: RelayDeps, request: RelayRequest<Body>): Promise<Answer> {
  const copies = request.canonical.copies ?? 1;
  request.exchange.facts.model = request.canonical.body.model;
  request.exchange.facts.stream = request.dialect.isStream(request.body);
  if ((request.canonical.body.max_output_tokens ?? Number.POSITIVE_INFINITY) <= SOON_REACHED) deps.tokens.warm();
  const id = deps.newId();
  const paths = Array.from({ length: copies }, (_, index) => createPath(deps, request, id, index));
  return request.exchange.facts.stream ? streamed(deps, request, paths) : whole(request, paths);
}
