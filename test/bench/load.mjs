/** Drives one program with one scenario and tells what it cost. */
import { isComplete } from "./check-answer.mjs";
import { STAMP } from "./frames.mjs";
import { Connection, parseAnswer } from "./http-client.mjs";
import { costOf } from "./process-cost.mjs";
import { requestOf } from "./scenarios.mjs";

/** Answers are kept until they are checked; a fast program would otherwise fill the memory. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Repeats a scenario on all its connections for `windowMs`.
 * @returns counts, CPU in ms a request and µs a delta, p50 latency in ms, delay of stamped deltas in ms.
 */
export async function runWindow(program, scenario, windowMs) {
  const request = requestOf(scenario, program);
  const delays = [];
  const answers = [];
  let bytes = 0;
  const onData = scenario.pauseMs ? delayReader(delays) : undefined;
  const before = program.pid ? costOf(program.pid) : undefined;
  const startedAt = performance.now();
  const connections = Array.from({ length: scenario.connections }, () => new Connection(program.port));
  const loops = connections.map(async (connection) => {
    do {
      const answer = await connection.send(request.head, request.body, onData);
      answers.push(answer);
      for (const piece of answer.pieces) bytes += piece.length;
      if (answer.ending !== "complete" && answers.length > scenario.connections * 4) return;
    } while (performance.now() - startedAt < windowMs && bytes < MOST_BYTES);
  });
  await Promise.all(loops);
  const seconds = (performance.now() - startedAt) / 1000;
  const after = before && costOf(program.pid);
  // A server may close connections that rest until the next round.
  for (const connection of connections) connection.close();
  const latencies = answers.map((answer) => answer.endedAt - answer.startedAt);
  return {
    requests: answers.length,
    incomplete: countIncomplete(answers, scenario, program),
    perSecond: answers.length / seconds,
    latencyMs: quantile(latencies, 0.5),
    ...(after && costs(before, after, answers.length, scenario)),
    ...(delays.length > 0 && { delayP50: quantile(delays, 0.5), delayP99: quantile(delays, 0.99) }),
  };
}

/** Opens `scenario.connections` streams, one answer each, and samples memory meanwhile. */
export async function runStreams(program, scenario) {
  const request = requestOf(scenario, program);
  const delays = [];
  const onData = delayReader(delays);
  const connections = Array.from({ length: scenario.connections }, () => new Connection(program.port));
  let peakMb = 0;
  const sampler = setInterval(() => {
    if (program.pid) peakMb = Math.max(peakMb, costOf(program.pid).rssMb);
  }, 250);
  const before = program.pid ? costOf(program.pid) : undefined;
  const answers = await Promise.all(
    connections.map(async (connection, index) => {
      // As people come: not all in one millisecond.
      await new Promise((done) => setTimeout(done, index));
      return connection.send(request.head, request.body, onData);
    }),
  );
  const after = before && costOf(program.pid);
  clearInterval(sampler);
  for (const connection of connections) connection.close();
  return {
    requests: answers.length,
    incomplete: countIncomplete(answers, scenario, program),
    ...(after && costs(before, after, answers.length, scenario)),
    delayP50: quantile(delays, 0.5),
    delayP99: quantile(delays, 0.99),
    peakMb,
  };
}

/** True when the program answers this scenario at all; goes on for `warmUpMs`, so that its code is compiled. */
export async function answers(program, scenario, warmUpMs) {
  const first = await runWindow(program, { ...scenario, connections: 1 }, 0);
  if (first.incomplete > 0) return false;
  if (warmUpMs > 0) await runWindow(program, scenario, warmUpMs);
  return true;
}

function delayReader(delays) {
  return (bytes) => {
    const now = Number(process.hrtime.bigint() / 1000n);
    for (const [, stamp] of bytes.toString("latin1").matchAll(STAMP)) delays.push((now - Number(stamp)) / 1000);
  };
}

function countIncomplete(answers, scenario, program) {
  const grammar = program.raw ? "upstream" : scenario.dialect;
  return answers.filter((answer) => {
    try {
      return !isComplete(parseAnswer(answer), scenario, grammar);
    } catch {
      return true;
    }
  }).length;
}

function costs(before, after, requests, scenario) {
  const cpuMs = after.cpuMs - before.cpuMs;
  return {
    cpuMsPerRequest: cpuMs / requests,
    cpuUsPerDelta: (cpuMs * 1000) / (requests * scenario.deltas),
    rssMb: after.rssMb,
  };
}

export function quantile(values, fraction) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
}
