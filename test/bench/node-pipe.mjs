/** A limit: what Node's own http costs when it understands nothing. `node-pipe.mjs <port> <upstream port>`. */
import { Agent, createServer, request } from "node:http";

const [port, upstream] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const sent = request({ host: "127.0.0.1", port: upstream, method, path: url, headers, agent }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.pipe(outgoing);
  });
  sent.on("error", () => outgoing.destroy());
  outgoing.on("close", () => sent.destroy());
  incoming.pipe(sent);
}).listen(port, "127.0.0.1");
