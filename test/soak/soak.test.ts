import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import { startUpstream } from "../upstream/index.ts";
import { sendLoad } from "./load.ts";
import { type Measurement, startMeasured } from "./measured-server.ts";

const MEGABYTE = 1024 * 1024;
const MINUTES = Number(process.env.SOAK_MINUTES ?? 5);
const ROUND = 1_000;

it.each(runtimes)(
  "$name under load for minutes grows no more",
  { timeout: MINUTES * 60_000 + 180_000 },
  async (runtime) => {
    const upstream = await startUpstream();
    const server = await startMeasured(runtime, upstream);
    const shown = ({ heap, resident, descriptors }: Measurement, requests: number): string =>
      `${runtime.name.padEnd(7)} ${String(requests).padStart(7)} requests  heap ${(heap / MEGABYTE).toFixed(1).padStart(6)} MB` +
      `  resident ${(resident / MEGABYTE).toFixed(1).padStart(6)} MB  descriptors ${descriptors}`;
    try {
      await sendLoad(server.url, ROUND, 8);
      const first = await server.measure();
      console.log(shown(first, ROUND));
      let last = first;
      let requests = ROUND;
      for (const end = Date.now() + MINUTES * 60_000; Date.now() < end; ) {
        await sendLoad(server.url, ROUND, 8);
        requests += ROUND;
        // The double remembers every request.
        upstream.requests.length = 0;
        await sleep(500);
        last = await server.measure();
        console.log(shown(last, requests));
      }
      expect((last.heap - first.heap) / MEGABYTE).toBeLessThan(20);
      expect(last.descriptors - first.descriptors).toBeLessThan(20);
      expect(server.log().match(/^.*(?:internal_error|unhandled|uncaught).*$/gim)).toBeNull();
    } finally {
      expect(await server.stop()).toBe(0);
      await upstream.close();
    }
  },
);
