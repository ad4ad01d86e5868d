/**
 * Measures the built server beside its limits (a raw Node pipe, Go's reverse proxy, no proxy at all) and other programs, on
 * loopback only, all in one run and in turns, since figures of two runs do not compare on a busy machine.
 *
 *   npm run bench -- [--quick] [--minutes N] [--only node20,go] [--scenario burst-32] [--original]
 *                    [--peer name='command with {port} and {upstream}'] [--json FILE] [--compare FILE]
 *
 * Linux only: CPU and memory come from /proc. Ends with 1 when an answer was incomplete.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { answers, quantile, runStreams, runWindow } from "../test/bench/load.mjs";
import { BARE, findPrograms, startProgram, startUpstream } from "../test/bench/programs.mjs";
import { addRatios, report } from "../test/bench/report.mjs";
import { SCENARIOS, SLOW_STREAMS } from "../test/bench/scenarios.mjs";
import { measureStartUp } from "../test/bench/start-up.mjs";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    minutes: { type: "string" },
    only: { type: "string" },
    scenario: { type: "string" },
    original: { type: "boolean", default: false },
    peer: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    compare: { type: "string" },
  },
});

const warmUpMs = options.quick ? 60 : 400;
const SHORTEST_WINDOW_MS = 120;
const rounds = options.quick ? 1 : 3;
const budgetMs = Number(options.minutes ?? (options.quick ? 1.2 : 8)) * 60_000;
const slow = { ...SLOW_STREAMS, connections: options.quick ? 100 : 500, deltas: options.quick ? 5 : 30 };

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cache = join(root, ".cache", "bench");
mkdirSync(cache, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "bench-"));
const stops = [() => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })];
const startedAt = performance.now();

try {
  process.exitCode = await main();
} finally {
  for (const stop of stops.reverse()) await stop();
}

async function main() {
  const wanted = (name, list) => list === undefined || list.split(",").some((part) => name.startsWith(part));
  const programs = findPrograms({ cache, peers: options.peer.map(readPeer), original: options.original }).filter(
    ({ name, kind }) => kind === "peer" || wanted(name, options.only),
  );
  const scenarios = SCENARIOS.filter(({ name }) => wanted(name, options.scenario));
  const upstream = await startUpstream({ ...createCertificates(), cache, scratch });
  stops.push(() => upstream.stop());

  const results = {};
  if (wanted("start-up", options.scenario)) results["start-up"] = await startUps(programs, upstream);
  const running = await startAll(programs, upstream);
  const cells = await findCells(running, scenarios);
  if (wanted(slow.name, options.scenario)) results[slow.name] = await slowStreams(running);
  Object.assign(results, await inTurns(cells, windowFor(cells)));
  addRatios(results);

  const earlier = options.compare && JSON.parse(readFileSync(options.compare, "utf8")).results;
  process.stdout.write(`\n${report(results, earlier)}\n`);
  const file = options.json ?? join(cache, `${new Date().toISOString().replaceAll(":", "-")}.json`);
  writeFileSync(file, `${JSON.stringify({ version: describeVersion(), rounds, results }, null, 2)}\n`);
  const incomplete = Object.values(results)
    .flatMap(Object.values)
    .reduce((sum, one) => sum + (one.incomplete ?? 0), 0);
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  process.stdout.write(`${incomplete} incomplete answers; ${minutes} minutes; ${file}\n`);
  return incomplete === 0 ? 0 : 1;
}

function readPeer(text) {
  const at = text.indexOf("=");
  if (at < 1) throw new Error(`--peer wants name='command', not ${text}`);
  return { name: text.slice(0, at), command: text.slice(at + 1) };
}

/** A private CA and a leaf for upstream's host name. */
function createCertificates() {
  const at = (name) => join(scratch, name);
  const openssl = (...args) => execFileSync("openssl", args, { stdio: "pipe" });
  writeFileSync(at("leaf.ext"), "basicConstraints=CA:FALSE\nsubjectAltName=DNS:chatgpt.com,IP:127.0.0.1\n");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const ca = ["-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "7", "-subj", "/CN=Bench CA"];
  openssl("req", "-x509", ...key, ...ca);
  openssl("req", ...key, "-keyout", at("leaf.key"), "-out", at("leaf.csr"), "-subj", "/CN=chatgpt.com");
  const signed = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "7"];
  openssl("x509", "-req", "-in", at("leaf.csr"), ...signed, "-extfile", at("leaf.ext"), "-out", at("leaf.pem"));
  return { caFile: at("ca.pem"), keyFile: at("leaf.key"), certificateFile: at("leaf.pem") };
}

async function startUps(programs, upstream) {
  const figures = {};
  for (const program of [...BARE, ...programs.filter(({ kind }) => kind !== "limit")]) {
    try {
      figures[program.name] = await measureStartUp(program, upstream, scratch, options.quick ? 1 : 6);
      say(`start-up of ${program.name}`);
    } catch (error) {
      say(error.message);
    }
  }
  return figures;
}

/** All programs at once; those that rest cost the others nothing. One that does not start is left out, and told. */
async function startAll(programs, upstream) {
  const running = [{ name: "direct", kind: "limit", raw: true, transport: "plain", port: upstream.plain }];
  for (const program of programs) {
    for (const transport of program.transports) {
      try {
        const started = await startProgram(program, transport, upstream, scratch);
        stops.push(started.stop);
        running.push(started);
      } catch (error) {
        say(error.message);
      }
    }
  }
  return running;
}

/** Pairs of program and scenario that work, warmed. */
async function findCells(running, scenarios) {
  const cells = [];
  for (const program of running) {
    for (const scenario of scenarios) {
      if (program.transport === "tls" && !scenario.tls) continue;
      if (await answers(program, scenario, warmUpMs)) cells.push({ program, scenario });
      else say(`${program.name} (${program.transport}) does not answer ${scenario.name}`);
    }
  }
  return cells;
}

function windowFor(cells) {
  const left = budgetMs - (performance.now() - startedAt);
  return Math.max(SHORTEST_WINDOW_MS, Math.min(2_000, left / (cells.length * rounds) - 100));
}

async function slowStreams(running) {
  const figures = {};
  for (const program of running.filter(({ transport }) => transport === "plain")) {
    if (await answers(program, { ...slow, deltas: 1 }, 0)) figures[program.name] = await runStreams(program, slow);
    say(`${slow.name}: ${program.name}`);
  }
  return figures;
}

/** Round after round, each scenario on one program after the other; medians over the rounds. */
async function inTurns(cells, windowMs) {
  const samples = new Map();
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}, ${Math.round(windowMs)} ms each`);
    const order = cells.toSorted((a, b) => SCENARIOS.indexOf(a.scenario) - SCENARIOS.indexOf(b.scenario));
    for (const cell of order) {
      const figures = await runWindow(cell.program, cell.scenario, windowMs);
      samples.set(cell, [...(samples.get(cell) ?? []), figures]);
    }
  }
  const results = {};
  for (const [{ program, scenario }, rows] of samples) {
    const name = program.transport === "tls" ? `${scenario.name}, CONNECT + TLS` : scenario.name;
    results[name] ??= {};
    results[name][program.name] = medians(rows);
  }
  return results;
}

function medians(rows) {
  const figures = {};
  for (const key of Object.keys(rows[0])) {
    const values = rows.map((row) => row[key]).filter((value) => value !== undefined);
    figures[key] = key === "incomplete" ? values.reduce((sum, value) => sum + value, 0) : quantile(values, 0.5);
  }
  return figures;
}

function describeVersion() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  try {
    const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, stdio: "pipe" });
    return `${version} ${commit.toString().trim()}`;
  } catch {
    return version;
  }
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
