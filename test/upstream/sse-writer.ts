import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { constants, createGzip } from "node:zlib";
import { cutConnection } from "./cut.ts";
import type { Behaviour } from "./types.ts";

/** Sends frames one write each, with the pauses, cuts and splits that the behaviour asks for. */
export async function writeFrames(
  response: ServerResponse,
  frames: readonly string[],
  headers: Record<string, string | string[]>,
  behaviour: Behaviour,
): Promise<void> {
  const gzip = behaviour.gzip === true;
  response.writeHead(200, gzip ? { ...headers, "content-encoding": "gzip" } : headers);
  response.flushHeaders();
  const { write, end } = gzip ? gzipInto(response) : plainInto(response);
  for (const [index, frame] of frames.entries()) {
    if (response.destroyed) return;
    if (behaviour.stallMs !== undefined && behaviour.stallAfterEvents === index)
      await sleep(behaviour.stallMs, undefined, { ref: false });
    if (behaviour.paceMs !== undefined && index > 0) await sleep(behaviour.paceMs, undefined, { ref: false });
    await writePieces(write, Buffer.from(frame), behaviour.splitBytes);
  }
  if (behaviour.stallMs !== undefined && behaviour.stallAfterEvents === frames.length)
    await sleep(behaviour.stallMs, undefined, { ref: false });
  if (behaviour.cut === "mid-event")
    await write(Buffer.from('event: response.output_text.delta\ndata: {"type":"response.output_text.del'));
  if (behaviour.cut !== undefined) return cut(response);
  end();
}

/** What has been written shall arrive: the break comes a turn later. */
async function cut(response: ServerResponse): Promise<void> {
  await sleep(5);
  cutConnection(response);
}

async function writePieces(
  write: (bytes: Buffer) => Promise<void>,
  bytes: Buffer,
  size: number | undefined,
): Promise<void> {
  if (size === undefined) return write(bytes);
  for (let start = 0; start < bytes.length; start += size) {
    await write(bytes.subarray(start, start + size));
    await nextTurn();
  }
}

interface Sink {
  write(bytes: Buffer): Promise<void>;
  end(): void;
}

function plainInto(response: ServerResponse): Sink {
  return { write: (bytes) => put(response, bytes), end: () => response.end() };
}

async function put(response: ServerResponse, bytes: Buffer): Promise<void> {
  if (response.destroyed || response.write(bytes)) return;
  await Promise.race([once(response, "drain"), once(response, "close")]);
}

/** Each write is flushed, so that compressed events still arrive one by one. */
function gzipInto(response: ServerResponse): Sink {
  const zip = createGzip({ flush: constants.Z_SYNC_FLUSH });
  zip.pipe(response);
  return {
    write: (bytes) =>
      new Promise((done) => {
        zip.write(bytes);
        zip.flush(() => done());
      }),
    end: () => zip.end(),
  };
}
