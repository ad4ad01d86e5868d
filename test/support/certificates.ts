import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A private CA and a leaf that it signed. Deno takes no self-signed leaf for a CA, so there are always two. */
export interface Certificates {
  /** PEM file of the CA, for `CODEX_API_PROXY_CA_BUNDLE` and the like. */
  readonly caFile: string;
  readonly caPem: string;
  /** PEM key and certificate of the server; valid for the three upstream hosts, localhost and 127.0.0.1 unless others are asked for. */
  readonly leaf: { readonly key: string; readonly cert: string };
  /** Deletes the files. */
  remove(): void;
}

const NAMES = "DNS:chatgpt.com,DNS:api.openai.com,DNS:auth.openai.com,DNS:localhost,IP:127.0.0.1";

/**
 * Makes a CA and a leaf with the `openssl` program, in a directory of their own.
 * @param names what the leaf is valid for, as `subjectAltName` has it.
 */
export function createCertificates(names = NAMES): Certificates {
  const dir = mkdtempSync(join(tmpdir(), "certificates-"));
  const at = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe", cwd: dir });
  writeFileSync(
    at("ca.ext"),
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
  );
  writeFileSync(
    at("leaf.ext"),
    `basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=${names}\n`,
  );
  for (const name of ["ca", "leaf"]) {
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at(`${name}.key`));
    openssl("req", "-new", "-key", at(`${name}.key`), "-subj", `/CN=Test ${name}`, "-out", at(`${name}.csr`));
  }
  const lasting = ["-days", "30"];
  openssl(
    "x509",
    "-req",
    "-in",
    at("ca.csr"),
    "-signkey",
    at("ca.key"),
    "-extfile",
    at("ca.ext"),
    ...lasting,
    "-out",
    at("ca.pem"),
  );
  openssl(
    ...["x509", "-req", "-in", at("leaf.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-set_serial", "1"],
    ...["-extfile", at("leaf.ext"), ...lasting, "-out", at("leaf.pem")],
  );
  const read = (name: string) => readFileSync(at(name), "utf8");
  return {
    caFile: at("ca.pem"),
    caPem: read("ca.pem"),
    leaf: { key: read("leaf.key"), cert: read("leaf.pem") },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
