import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Connections } from "./connections.ts";

export interface ConnectProxyOptions {
  /** Port of the TLS double that stands for the real hosts. */
  readonly upstreamPort: number;
  /** `user:password` that the client must send; without it 407. */
  readonly auth?: string;
  /** Refuse every tunnel with this status. */
  readonly refuse?: number;
}

/** A running CONNECT proxy. */
export interface ConnectProxy {
  readonly port: number;
  /** `http://127.0.0.1:<port>`, with the credentials when there are any. */
  readonly url: string;
  /** Targets asked for, e.g. `chatgpt.com:443`, refused ones too. */
  readonly targets: string[];
  /** Proxy-Authorization of each, in the same order. */
  readonly authorizations: (string | undefined)[];
  /** Plain requests that came instead of CONNECT, as `GET http://...`. */
  readonly plain: string[];
  close(): Promise<void>;
}

const HOSTS = ["chatgpt.com:443", "api.openai.com:443", "auth.openai.com:443"];

/** Starts a CONNECT proxy that leads the three real hosts to the double and every other target where it says. */
export async function startConnectProxy(options: ConnectProxyOptions): Promise<ConnectProxy> {
  const targets: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const plain: string[] = [];
  const tunnels = new Set<Socket>();
  const server = createServer((request, response) => {
    plain.push(`${request.method} ${request.url}`);
    response.writeHead(405).end();
  });
  const connections = new Connections(server, "connection");
  server.on("connect", (request, client: Socket, head: Buffer) => {
    targets.push(request.url ?? "");
    authorizations.push(request.headers["proxy-authorization"]);
    const refusal = refuse(options, request.headers["proxy-authorization"]);
    if (refusal !== undefined) return void client.end(refusal);
    tunnels.add(openTunnel(request.url ?? "", client, head, options.upstreamPort));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${options.auth === undefined ? "" : `${options.auth}@`}127.0.0.1:${port}`,
    targets,
    authorizations,
    plain,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const tunnel of tunnels) tunnel.destroy();
        connections.destroyAll();
      }),
  };
}

function refuse({ auth, refuse: status }: ConnectProxyOptions, given: string | undefined): string | undefined {
  if (status !== undefined) return `HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\n\r\n`;
  const wanted = auth === undefined ? undefined : `Basic ${Buffer.from(decodeURIComponent(auth)).toString("base64")}`;
  if (wanted === undefined || given === wanted) return undefined;
  return 'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="proxy"\r\ncontent-length: 0\r\n\r\n';
}

function openTunnel(target: string, client: Socket, head: Buffer, upstreamPort: number): Socket {
  const [host = "", port = "443"] = target.split(":");
  const known = HOSTS.includes(target);
  const tunnel = connect(known ? upstreamPort : Number(port), known ? "127.0.0.1" : host, () => {
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    tunnel.write(head);
    tunnel.pipe(client);
    client.pipe(tunnel);
  });
  tunnel.on("error", () => client.destroy());
  client.on("close", () => tunnel.destroy());
  tunnel.on("close", () => client.destroy());
  return tunnel;
}
