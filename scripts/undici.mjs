/** The part of undici that the program has in its bundle, as a plugin of the bundler. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const lib = join(dirname(fileURLToPath(import.meta.url)), "..", "node_modules", "undici", "lib");
const CORE = "\0undici-core";

/**
 * A request that is aborted ends its connection by an error that undici takes for no fault of the request: it queues the
 * request again, and opens another connection before it finds that nobody wants it. With many clients that leave at once
 * as many connections would lie about for minutes.
 */
const ABORTED = {
  file: join(lib, "dispatcher", "client-h1.js"),
  from: "util.destroy(socket, new InformationalError('aborted'))",
  to: "util.destroy(socket, new SocketError('aborted'))",
};

/** undici's two agents, and the CONNECT that they call, without its fetch, WebSocket, cache and mocks: half the code to load. */
export const undiciCore = {
  name: "undici-core",
  resolveId: (id) => (id === "undici" ? CORE : null),
  load(id) {
    if (id !== CORE) return null;
    const part = (path) => JSON.stringify(join(lib, path));
    return `
      import connect from ${part("api/api-connect.js")};
      import Dispatcher from ${part("dispatcher/dispatcher.js")};
      Dispatcher.prototype.connect = connect;
      export { default as Agent } from ${part("dispatcher/agent.js")};
      export { default as ProxyAgent } from ${part("dispatcher/proxy-agent.js")};
      export { default as buildConnector } from ${part("core/connect.js")};
    `;
  },
  transform(code, id) {
    if (id !== ABORTED.file) return null;
    const parts = code.split(ABORTED.from);
    if (parts.length !== 2) throw new Error(`undici's ${id} is not what it was: see scripts/undici.mjs`);
    return parts.join(ABORTED.to);
  },
};
