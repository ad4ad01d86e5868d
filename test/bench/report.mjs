/** Tables for a terminal: one a scenario, a row a program. */

const COLUMNS = [
  ["CPU ms/req", "cpuMsPerRequest", 3],
  ["CPU µs/delta", "cpuUsPerDelta", 1],
  ["÷ node-pipe", "toNode", 2],
  ["÷ go", "toGo", 2],
  ["p50 ms", "latencyMs", 2],
  ["p50 +direct", "addedMs", 2],
  ["delay p50", "delayP50", 2],
  ["delay p99", "delayP99", 1],
  ["req/s", "perSecond", 0],
  ["RSS MB", "rssMb", 0],
  ["peak MB", "peakMb", 0],
  ["start ms", "startMs", 0],
  ["start CPU ms", "startCpuMs", 0],
  ["÷ bare", "toBare", 2],
  ["idle MB", "idleMb", 0],
  ["incomplete", "incomplete", 0],
];

/** @param results `{ [scenario]: { [program]: figures } }` @param earlier the same of another run, for a column of change. */
export function report(results, earlier) {
  const lines = [];
  for (const [scenario, programs] of Object.entries(results)) {
    const rows = Object.entries(programs);
    const columns = COLUMNS.filter(([, key]) => rows.some(([, figures]) => figures[key] !== undefined));
    const header = ["", ...columns.map(([title]) => title), ...(earlier ? ["CPU before"] : [])];
    const cells = rows.map(([name, figures]) => [
      name,
      ...columns.map(([, key, digits]) => (figures[key] === undefined ? "–" : figures[key].toFixed(digits))),
      ...(earlier ? [change(figures, earlier[scenario]?.[name])] : []),
    ]);
    lines.push(scenario, ...table([header, ...cells]), "");
  }
  return lines.join("\n");
}

/** Adds to each figure its ratio to the limits of the same run. */
export function addRatios(results) {
  for (const [scenario, programs] of Object.entries(results)) {
    const direct = programs.direct;
    for (const [name, figures] of Object.entries(programs)) {
      ratio(figures, "toNode", programs["node-pipe"], "cpuMsPerRequest");
      ratio(figures, "toGo", programs.go, "cpuMsPerRequest");
      if (direct?.latencyMs !== undefined && name !== "direct") figures.addedMs = figures.latencyMs - direct.latencyMs;
      if (scenario !== "start-up" || name.startsWith("bare-")) continue;
      const runtime = ["bun", "deno"].includes(name) ? name : "node";
      ratio(figures, "toBare", programs[`bare-${runtime}`], "startCpuMs");
    }
  }
}

function ratio(figures, key, limit, of) {
  if (limit?.[of] > 0 && figures[of] !== undefined) figures[key] = figures[of] / limit[of];
}

function change(now, before) {
  const key = now.cpuMsPerRequest === undefined ? "startCpuMs" : "cpuMsPerRequest";
  if (!before?.[key] || !now[key]) return "–";
  const percent = Math.round((now[key] / before[key] - 1) * 100);
  return `${before[key].toFixed(3)} (${percent > 0 ? "+" : ""}${percent} %)`;
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
}
