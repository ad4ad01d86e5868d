/** What it costs to start a program until it answers `/health`, and the memory it then rests at. */
import { Connection, parseAnswer } from "./http-client.mjs";
import { quantile } from "./load.mjs";
import { costOf } from "./process-cost.mjs";
import { startProgram } from "./programs.mjs";

const SETTLE_MS = 1_500;
const HEALTH = Buffer.from("GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");

/** Medians of time and CPU in ms from spawn to the first answer, and memory in MB at rest. */
export async function measureStartUp(program, upstream, scratch, times) {
  const runs = [];
  for (let count = 0; count < times; count++) {
    const running = await startProgram(program, "plain", upstream, scratch);
    const connection = new Connection(running.port);
    try {
      const { status } = parseAnswer(await connection.send(HEALTH, Buffer.alloc(0)));
      const run = { startMs: performance.now() - running.startedAt, startCpuMs: costOf(running.pid).cpuMs, status };
      if (count === 0) {
        await new Promise((done) => setTimeout(done, SETTLE_MS));
        run.idleMb = costOf(running.pid).rssMb;
      }
      runs.push(run);
    } finally {
      connection.close();
      await running.stop();
    }
  }
  // The kernel counts CPU in steps of 10 ms: the mean of several is finer than any one.
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    startMs: quantile(
      runs.map((run) => run.startMs),
      0.5,
    ),
    startCpuMs: mean(runs.map((run) => run.startCpuMs)),
    idleMb: runs[0].idleMb,
  };
}
