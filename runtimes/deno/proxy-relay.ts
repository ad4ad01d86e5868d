import { acceptSocks, type SocksRequest } from "./socks-handshake.ts";

/**
 * The proxy as Deno's client is to see it. With credentials in the URL Deno sends them inside the tunnel as well, as
 * `proxy-authorization` to upstream (seen with Deno 2.9). So the client gets a SOCKS relay of this process instead, which
 * speaks CONNECT with the credentials; a random password keeps other local programs out of it.
 */
export function credentialFreeProxy(proxyUrl: string, caCerts: string[]): Deno.Proxy {
  const proxy = new URL(proxyUrl);
  if (proxy.username === "" && proxy.password === "") return { url: proxyUrl };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.unref();
  const secret = crypto.randomUUID();
  void acceptAll(listener, (client) => relay(client, secret, proxy, caCerts));
  return {
    transport: "socks5",
    url: `socks5h://127.0.0.1:${listener.addr.port}`,
    basicAuth: { username: "relay", password: secret },
  };
}

async function acceptAll(listener: Deno.TcpListener, serve: (client: Deno.TcpConn) => Promise<void>): Promise<void> {
  for await (const client of listener) {
    serve(client).catch(() => closeQuietly(client));
  }
}

async function relay(client: Deno.TcpConn, secret: string, proxy: URL, caCerts: string[]): Promise<void> {
  client.setNoDelay(true);
  const request = await acceptSocks(client, secret);
  if (request === undefined) {
    closeQuietly(client);
    return;
  }
  const tunnel = await openTunnel(proxy, request, caCerts).catch(async (error) => {
    await request.refuse();
    throw error;
  });
  await request.accept();
  // Either end that closes or breaks takes the other with it.
  await Promise.all([client.readable.pipeTo(tunnel.writable), tunnel.readable.pipeTo(client.writable)]).catch(() => {
    closeQuietly(client);
    closeQuietly(tunnel);
  });
}

async function openTunnel(proxy: URL, { host, port }: SocksRequest, caCerts: string[]): Promise<Deno.Conn> {
  const secure = proxy.protocol === "https:";
  const address = {
    hostname: proxy.hostname.replace(/^\[|\]$/g, ""),
    port: Number(proxy.port || (secure ? 443 : 80)),
  };
  const tunnel = secure ? await Deno.connectTls({ ...address, caCerts }) : await Deno.connect(address);
  try {
    const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const lines = [`CONNECT ${authority} HTTP/1.1`, `host: ${authority}`, `proxy-authorization: ${basic(proxy)}`];
    await writeAll(tunnel, new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
    const head = await readHead(tunnel);
    if (!/^HTTP\/1\.\d 2\d\d/.test(head)) throw new Error(`the proxy refused the tunnel: ${head.split("\r\n")[0]}`);
    return tunnel;
  } catch (error) {
    closeQuietly(tunnel);
    throw error;
  }
}

/** The answer's head, byte by byte: what follows it belongs to the tunnel. */
async function readHead(tunnel: Deno.Conn): Promise<string> {
  const byte = new Uint8Array(1);
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    if (head.length > 16_384 || (await tunnel.read(byte)) === null) throw new Error("the proxy closed the connection");
    head += String.fromCharCode(byte[0] ?? 0);
  }
  return head;
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length; ) sent += await connection.write(bytes.subarray(sent));
}

function basic({ username, password }: URL): string {
  const bytes = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed by its other end already.
  }
}
