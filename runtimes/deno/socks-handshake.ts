/** What a SOCKS client asks for, and the two answers. */
export interface SocksRequest {
  readonly host: string;
  readonly port: number;
  accept(): Promise<void>;
  refuse(): Promise<void>;
}

const VERSION = 5;
const METHOD_PASSWORD = 2;
const METHOD_NONE_ACCEPTABLE = 0xff;
const COMMAND_CONNECT = 1;
const REPLY_SUCCEEDED = 0;
const REPLY_NOT_ALLOWED = 2;

/**
 * The server's part of SOCKS 5 (RFC 1928) with a password (RFC 1929), CONNECT only.
 * Undefined when the client does not know the password or asks for something else.
 */
export async function acceptSocks(client: Deno.Conn, secret: string): Promise<SocksRequest | undefined> {
  const [version, methodCount = 0] = await readBytes(client, 2);
  const methods = await readBytes(client, methodCount);
  if (version !== VERSION || !methods.includes(METHOD_PASSWORD)) {
    await client.write(Uint8Array.of(VERSION, METHOD_NONE_ACCEPTABLE));
    return undefined;
  }
  await client.write(Uint8Array.of(VERSION, METHOD_PASSWORD));
  const [, userLength = 0] = await readBytes(client, 2);
  await readBytes(client, userLength);
  const [passwordLength = 0] = await readBytes(client, 1);
  const known = new TextDecoder().decode(await readBytes(client, passwordLength)) === secret;
  await client.write(Uint8Array.of(1, known ? 0 : 1));
  if (!known) return undefined;
  const [, command, , addressType = 0] = await readBytes(client, 4);
  const host = await readAddress(client, addressType);
  const [high = 0, low = 0] = await readBytes(client, 2);
  if (command !== COMMAND_CONNECT || host === undefined) return undefined;
  const reply = async (code: number): Promise<void> => {
    await client.write(Uint8Array.of(VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0));
  };
  return {
    host,
    port: high * 256 + low,
    accept: () => reply(REPLY_SUCCEEDED),
    refuse: () => reply(REPLY_NOT_ALLOWED),
  };
}

async function readAddress(client: Deno.Conn, type: number): Promise<string | undefined> {
  if (type === 1) return (await readBytes(client, 4)).join(".");
  if (type === 3) {
    const [length = 0] = await readBytes(client, 1);
    return new TextDecoder().decode(await readBytes(client, length));
  }
  if (type !== 4) return undefined;
  const bytes = await readBytes(client, 16);
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return groups.join(":");
}

async function readBytes(client: Deno.Conn, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let read = 0; read < count; ) {
    const got = await client.read(bytes.subarray(read));
    if (got === null) throw new Error("the client closed the connection");
    read += got;
  }
  return bytes;
}
