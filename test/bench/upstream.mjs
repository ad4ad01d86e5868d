/**
 * Upstream of the benchmark, a process of its own: the ChatGPT backend without its rules, plain and as TLS behind a CONNECT
 * proxy that leads every host to it, for machines without Go (else `upstream.go`). Prints one JSON line with its ports. What it answers stands in the request's last
 * `bench:<deltas>:<pause in ms>;`; every delta is a write of its own, and streams take turns after each.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import { CATALOGUE, framesOf, MODELS, stampedFrame } from "./frames.mjs";

const [keyFile, certificateFile] = process.argv.slice(2);
const MARK = "bench:";
const STREAM_HEADERS = { "content-type": "text/event-stream; charset=utf-8", "x-request-id": "bench" };

const plain = createServer(handle);
const secure = createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, handle);
const proxy = createServer((_, response) => response.writeHead(405).end());
proxy.on("connect", (_, client, head) => {
  const tunnel = connect(secure.address().port, "127.0.0.1", () => {
    tunnel.setNoDelay(true);
    client.setNoDelay(true);
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    tunnel.write(head);
    tunnel.pipe(client);
    client.pipe(tunnel);
  });
  for (const [socket, other] of [
    [tunnel, client],
    [client, tunnel],
  ]) {
    socket.on("error", () => other.destroy());
    socket.on("close", () => other.destroy());
  }
});

for (const server of [plain, secure, proxy]) {
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  await new Promise((done) => server.listen(0, "127.0.0.1", 4096, done));
}
process.stdout.write(
  `${JSON.stringify({ plain: plain.address().port, secure: secure.address().port, proxy: proxy.address().port })}\n`,
);
process.on("SIGTERM", () => process.exit(0));

function handle(request, response) {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => answer(request, response, Buffer.concat(chunks)));
}

function answer(request, response, body) {
  if (request.url.includes("/models")) return json(response, request.url.includes("codex") ? CATALOGUE : MODELS);
  if (!request.url.endsWith("/responses")) return json(response, {}, 404);
  const at = body.lastIndexOf(MARK);
  if (at === -1) return json(response, { detail: "no bench mark in the request" }, 400);
  const [deltas, pauseMs] = body
    .toString("latin1", at + MARK.length, at + 40)
    .split(";", 1)[0]
    .split(":")
    .map(Number);
  response.writeHead(200, STREAM_HEADERS);
  response.flushHeaders();
  if (pauseMs > 0) paced(response, deltas, pauseMs);
  else burst(response, framesOf(deltas));
}

function burst(response, frames) {
  let index = 0;
  const next = () => {
    if (response.destroyed) return;
    write(response, frames[index++]);
    if (index < frames.length) setImmediate(next);
    else response.end();
  };
  next();
}

/** Streams start apart from each other, so that their deltas do not come in one turn. Each delta tells when it was sent. */
function paced(response, deltas, pauseMs) {
  const frames = framesOf(deltas);
  const first = frames.deltasFrom;
  for (const frame of frames.slice(0, first)) write(response, frame);
  const startAt = performance.now() + Math.random() * pauseMs;
  let sent = 0;
  const next = () => {
    if (response.destroyed) return;
    if (sent === deltas) {
      for (const frame of frames.slice(first + deltas)) write(response, frame);
      response.end();
      return;
    }
    write(response, stampedFrame(sent, process.hrtime.bigint()));
    sent++;
    setTimeout(next, Math.max(0, startAt + sent * pauseMs - performance.now()));
  };
  setTimeout(next, startAt - performance.now());
}

/** Node gathers the writes of one turn; here each leaves at once, as from a server that flushes every delta. */
function write(response, frame) {
  response.write(frame);
  response.socket?.uncork();
}

function json(response, value, status = 200) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
