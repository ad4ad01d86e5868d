import { ProxyAgent, fetch as undiciFetch } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Certificates, createCertificates } from "../support/certificates.ts";
import { classicBody, doneItems, parseSse, seatHeaders, textOf } from "./helpers.ts";
import { type ConnectProxy, startConnectProxy, startUpstream, type Upstream } from "./index.ts";

let certificates: Certificates;
let upstream: Upstream;
let proxy: ConnectProxy;
beforeAll(async () => {
  certificates = createCertificates();
  upstream = await startUpstream({ tls: certificates.leaf });
  proxy = await startConnectProxy({ upstreamPort: upstream.port, auth: "user:p%40ss" });
});
afterAll(async () => {
  await proxy.close();
  await upstream.close();
  certificates.remove();
});

function agent(url: string): ProxyAgent {
  return new ProxyAgent({ uri: url, requestTls: { ca: certificates.caPem } });
}

test("a tunnel with the right password leads the real host name to the double over verified TLS", async () => {
  const dispatcher = agent(proxy.url);
  const response = await undiciFetch(`${upstream.chatgptBaseUrl}/responses`, {
    method: "POST",
    headers: seatHeaders(),
    body: JSON.stringify(classicBody()),
    dispatcher,
  });
  expect(textOf(doneItems(parseSse(await response.text())))).toContain("hi");
  expect(proxy.targets).toEqual(["chatgpt.com:443"]);
  expect(upstream.requests[0]?.headers.host).toBe("chatgpt.com");
  await dispatcher.close();
});

test("a tunnel without the password is refused with 407", async () => {
  const dispatcher = agent(`http://127.0.0.1:${proxy.port}`);
  const before = upstream.requests.length;
  await expect(undiciFetch(`${upstream.openaiBaseUrl}/models`, { dispatcher })).rejects.toThrow();
  expect(proxy.targets.at(-1)).toBe("api.openai.com:443");
  expect(upstream.requests).toHaveLength(before);
  await dispatcher.close();
});
