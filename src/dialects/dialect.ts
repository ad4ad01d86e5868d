import type { UpstreamEvent } from "../canonical/event.ts";
import type { CanonicalRequest } from "../canonical/request.ts";
import type { CanonicalResponse } from "../canonical/response.ts";
import type { ProxyError } from "../errors.ts";

export type DialectName = "chat" | "messages" | "responses" | "images";

/** Reads a request header, case-insensitively; undefined when absent. */
export type HeaderReader = (name: string) => string | undefined;

/** What an answer needs beside upstream's events. */
export interface AnswerContext {
  /** Unique, URL-safe, without prefix: the base of the answer's id. */
  readonly id: string;
  /** Epoch seconds at which the answer began. */
  readonly createdAt: number;
  readonly requestId: string;
  /** Estimated tokens of the prompt, for dialects that must state them before upstream does. */
  inputTokens(): number;
  /** Which of several answers this is (Chat `n`), and how many there are. */
  readonly choice: { readonly index: number; readonly of: number };
}

/**
 * State in, frames out: no promises, no streams, so a dialect is tested as a table.
 * One encoder serves one upstream stream.
 */
export interface StreamEncoder {
  /** SSE text for one upstream event, often "". After a terminal event it has ended the stream in its own grammar. */
  push(event: UpstreamEvent): string;
  /** Ends the stream with the dialect's error event: the 200 has gone out already. "" when it had ended before. */
  fail(error: ProxyError): string;
  /** SSE text that keeps an idle connection alive and is legal at this point. */
  keepAlive(): string;
}

/** One client API: pure functions between its JSON and the canonical form. */
export interface Dialect<Body> {
  readonly name: DialectName;
  /**
   * Checks what the translation reads and lets the rest through.
   * @throws ProxyError `invalid_request` with the parameter's path.
   */
  readRequest(json: unknown): Body;
  toCanonical(body: Body, header: HeaderReader): CanonicalRequest;
  /** True when the client asked for a stream. */
  isStream(body: Body): boolean;
  /** A whole answer; several where the client asked for several (Chat `n`). */
  fromCanonical(responses: readonly CanonicalResponse[], body: Body, context: AnswerContext): object;
  createEncoder(body: Body, context: AnswerContext): StreamEncoder;
  /** What ends a stream that carries several answers (Chat `n`), after each encoder has ended its own. */
  finishCopies?(encoders: readonly StreamEncoder[], body: Body): string;
  toErrorBody(error: ProxyError, requestId: string): object;
  /** HTTP status in this API's own terms, e.g. 529 for overload in Messages. */
  toErrorStatus(error: ProxyError): number;
}
