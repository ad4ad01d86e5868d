import { ProxyError } from "../errors.ts";

/** Longest `data` of one event, in UTF-16 units; an upstream that exceeds it is not speaking the protocol. */
export const MAX_EVENT_LENGTH = 32 * 1024 * 1024;

const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
/** The one field that is read. */
const DATA = Array.from("data", (letter) => letter.charCodeAt(0));
const BYTE_ORDER_MARK = 0xfeff;
/** Chunks that end with a line, nearly all, need no decoder with the state of a stream, which on Node costs a multiple. */
const WHOLE_UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads an event stream from bytes; see `createSseDecoder`. */
export interface SseDecoder {
  /** @throws ProxyError `upstream_protocol` when an event exceeds `MAX_EVENT_LENGTH`. */
  push(bytes: Uint8Array): void;
  /** The stream ended: an event that lacks only its closing blank line is still delivered. */
  end(): void;
}

/**
 * Decodes server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) and calls `onData` with the
 * `data` text of each. Other fields are ignored: upstream repeats the event's name inside its JSON. Lines end at LF, CRLF or
 * CR only, never at U+2028 and its like, which are legal inside JSON.
 *
 * Own code rather than a library: this is the hot path, and a decoder that hands out one string an event without building
 * event objects costs about half as much a delta.
 */
export function createSseDecoder(onData: (data: string) => void): SseDecoder {
  // Made when a chunk ends inside a line; it has the following ones until one ends with its line.
  let partial: TextDecoder | undefined;
  let inside = false;
  let fresh = true;
  // An unfinished line stays in pieces until its end arrives: joining on every chunk would be quadratic on a long line.
  let pieces: string[] = [];
  let pending = 0;
  let data: string | undefined;
  let skipLf = false;

  /** Takes the line that lies between two places of a text. */
  function line(text: string, from: number, to: number): void {
    if (from === to) {
      if (data !== undefined) {
        const complete = data;
        data = undefined;
        onData(complete);
      }
      return;
    }
    // By their codes: a comparison of strings, or a line cut out first, costs a multiple.
    for (let at = 0; at < DATA.length; at++) if (text.charCodeAt(from + at) !== DATA[at]) return;
    const colon = from + DATA.length;
    let value = "";
    if (colon < to) {
      if (text.charCodeAt(colon) !== COLON) return;
      const start = colon + 1;
      value = text.slice(start < to && text.charCodeAt(start) === SPACE ? start + 1 : start, to);
    }
    data = data === undefined ? value : `${data}\n${value}`;
    if (data.length > MAX_EVENT_LENGTH) throw tooLong();
  }

  function finishLine(rest: string): void {
    if (pending === 0) {
      line(rest, 0, rest.length);
      return;
    }
    pieces.push(rest);
    const whole = pieces.join("");
    pieces = [];
    pending = 0;
    line(whole, 0, whole.length);
  }

  function keep(rest: string): void {
    if (rest === "") return;
    pieces.push(rest);
    pending += rest.length;
    if (pending > MAX_EVENT_LENGTH) throw tooLong();
  }

  function text(chunk: string): void {
    let start = 0;
    if (skipLf && chunk !== "") {
      skipLf = false;
      if (chunk.charCodeAt(0) === LF) start = 1;
    }
    if (!chunk.includes("\r")) {
      for (let end = chunk.indexOf("\n", start); end >= 0; end = chunk.indexOf("\n", start)) {
        if (pending === 0) line(chunk, start, end);
        else finishLine(chunk.slice(start, end));
        start = end + 1;
      }
      keep(start === 0 ? chunk : chunk.slice(start));
      return;
    }
    for (let at = start; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at);
      if (code !== LF && code !== CR) continue;
      finishLine(chunk.slice(start, at));
      if (code === CR) {
        if (at + 1 === chunk.length) skipLf = true;
        else if (chunk.charCodeAt(at + 1) === LF) at++;
      }
      start = at + 1;
    }
    keep(chunk.slice(start));
  }

  function withoutMark(chunk: string): string {
    if (!fresh || chunk === "") return chunk;
    fresh = false;
    return chunk.charCodeAt(0) === BYTE_ORDER_MARK ? chunk.slice(1) : chunk;
  }

  return {
    push(bytes) {
      if (bytes.length === 0) return;
      const endsLine = bytes[bytes.length - 1] === LF;
      if (endsLine && !inside) {
        text(withoutMark(WHOLE_UTF8.decode(bytes)));
        return;
      }
      partial ??= new TextDecoder("utf-8", { ignoreBOM: true });
      inside = !endsLine;
      text(withoutMark(partial.decode(bytes, { stream: true })));
    },
    end() {
      if (partial) text(partial.decode());
      if (pending > 0) finishLine("");
      line("", 0, 0);
    },
  };
}

function tooLong(): ProxyError {
  return new ProxyError("upstream_protocol", `upstream sent an event of more than ${MAX_EVENT_LENGTH} characters`);
}
