import type { UpstreamNetwork } from "../platform.ts";

export type LogLevel = "debug" | "info" | "warning" | "error";

/** A key that clients present to this proxy. Only its SHA-256 is kept. */
export interface ClientKey {
  /** Names the key in logs and metrics. */
  readonly label: string;
  /** SHA-256 of the key, lower-case hex. */
  readonly sha256: string;
}

/** Request controls that apply where a request does not set its own. */
export interface RequestDefaults {
  /** Low-latency defaults: the model's lowest effort, verbosity low, tier priority. Explicit defaults beat it. */
  readonly fast: boolean;
  readonly reasoningEffort: string | undefined;
  readonly verbosity: string | undefined;
  readonly serviceTier: string | undefined;
}

/** How this program names itself upstream. */
export interface ClientIdentity {
  /** A current Codex version, plain semver; also `client_version` of the catalogue. */
  readonly clientVersion: string;
  readonly originator: string;
  readonly userAgent: string;
  /** Sent as `x-openai-internal-codex-residency` only when set. */
  readonly residency: string | undefined;
}

/** The whole configuration of a running server; made by `config/load.ts`, read by everything. */
export interface ProxyConfig {
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly apiKeys: readonly ClientKey[];
  /** Host names that requests may carry beside loopback names and the bound address; `*` allows all. */
  readonly allowedHosts: readonly string[];
  /** Browser origins that may call, and get CORS headers; empty: none. */
  readonly allowedOrigins: readonly string[];
  readonly codexHome: string;
  readonly chatgptBaseUrl: string;
  readonly openaiBaseUrl: string;
  /** Issuer of the OAuth endpoints, `https://auth.openai.com`. */
  readonly authIssuer: string;
  /** `CODEX_REFRESH_TOKEN_URL_OVERRIDE`, else issuer + `/oauth/token`. */
  readonly refreshTokenUrl: string;
  readonly revokeTokenUrl: string;
  readonly oauthClientId: string;
  readonly network: UpstreamNetwork;
  readonly identity: ClientIdentity;
  readonly defaults: RequestDefaults;
  /** Client's model name → catalogue model, `*` matches any run of characters; asked before the catalogue. */
  readonly modelAliases: Readonly<Record<string, string>>;
  /** Seconds; 0 disables the catalogue cache. */
  readonly modelsCacheTtl: number;
  /** Bytes, after decoding. */
  readonly bodyLimit: number;
  /** Upstream requests for one client request before the first output, the first included. */
  readonly maxAttempts: number;
  /** Seconds without a byte from upstream after which a stream is given up; 0: never. */
  readonly idleTimeout: number;
  /** Entries of the local response store and their lifetime in seconds. */
  readonly storeLimit: number;
  readonly storeTtl: number;
  /** Answer 400 instead of dropping what upstream cannot take. */
  readonly strict: boolean;
  /** Percent of a quota window at which a warning is logged. */
  readonly quotaWarning: number;
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
}
