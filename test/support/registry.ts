import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";

/** A package as `npm pack --json` tells it. */
export interface Tarball {
  readonly path: string;
  readonly manifest: { readonly name: string; readonly version: string };
}

export interface Registry {
  readonly url: string;
  close(): Promise<void>;
}

/** An npm registry of these packages on loopback: what `npx`, `bunx` and `deno run npm:` need to install them. */
export async function startRegistry(tarballs: readonly Tarball[]): Promise<Registry> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://registry").pathname);
    const wanted = tarballs.find(({ manifest }) => path === `/${manifest.name}`);
    const file = tarballs.find((tarball) => path === `/-/${basename(tarball.path)}`);
    if (wanted) response.setHeader("content-type", "application/json").end(JSON.stringify(packument(wanted, url())));
    else if (file) response.setHeader("content-type", "application/octet-stream").end(readFileSync(file.path));
    else response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
  });
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: url(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md */
function packument({ path, manifest }: Tarball, url: string): object {
  const bytes = readFileSync(path);
  const dist = {
    tarball: `${url}/-/${basename(path)}`,
    shasum: createHash("sha1").update(bytes).digest("hex"),
    integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
  };
  const { name, version } = manifest;
  const released = "2020-01-01T00:00:00.000Z";
  return {
    _id: name,
    name,
    "dist-tags": { latest: version },
    time: { created: released, modified: released, [version]: released },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
  };
}
