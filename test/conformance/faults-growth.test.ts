import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sendLoad } from "../soak/load.ts";
import { type MeasuredServer, startMeasured } from "../soak/measured-server.ts";
import { runtimes } from "../support/runtimes.ts";
import { startUpstream, type Upstream } from "../upstream/index.ts";

const MEGABYTE = 1024 * 1024;

describe.each(runtimes)("growth on $name", (runtime) => {
  let upstream: Upstream;
  let server: MeasuredServer;

  beforeAll(async () => {
    upstream = await startUpstream();
    server = await startMeasured(runtime, upstream);
  });
  afterAll(async () => {
    await server?.stop();
    await upstream?.close();
  });

  it("is none over 1,000 requests of all kinds, but for what is kept on purpose", async () => {
    await sendLoad(server.url, 400, 8);
    const before = await server.measure();
    await sendLoad(server.url, 1_000, 8);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const after = await server.measure();
    expect((after.heap - before.heap) / MEGABYTE).toBeLessThan(12);
    expect(after.descriptors - before.descriptors).toBeLessThan(20);
    expect(server.log().match(/^.*(?:internal_error|unhandled|uncaught).*$/gim)).toBeNull();
  });
});
