/** Every setting of the server under the name that config.toml uses. */
export interface Settings {
  host: string;
  port: number;
  /** Keys as given: plain, or hashed as `sha256:<hex>` or `label:sha256:<hex>`. */
  api_key: readonly string[];
  api_key_file: string | undefined;
  /** Undefined: no proxy. */
  proxy: string | undefined;
  log_level: "debug" | "info" | "warning" | "error";
  log_format: "text" | "json";
  models_cache_ttl: number;
  fast: boolean;
  reasoning_effort: string | undefined;
  verbosity: string | undefined;
  service_tier: string | undefined;
  chatgpt_base_url: string;
  openai_base_url: string;
  allow_host: readonly string[];
  allow_origin: readonly string[];
  model_alias: readonly string[];
  body_limit: number;
  max_attempts: number;
  idle_timeout: number;
  store_limit: number;
  store_ttl: number;
  strict: boolean;
  quota_warning: number;
  demo: boolean;
  pid_file: string;
  log_file: string;
  state_file: string;
}

export type SettingName = keyof Settings;

/** One row of the table from which arguments, help, environment, config.toml and the manual derive. */
export interface Option {
  readonly name: SettingName;
  /** Environment variables, the first that is set wins. */
  readonly env: readonly string[];
  readonly type: "text" | "integer" | "size" | "url" | "proxy" | "boolean" | "choice" | "list" | "secrets";
  readonly help: string;
  /** What stands for the value in help. */
  readonly hint?: string;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** Undefined: there is none, or it depends on the home folder. */
  readonly default?: string | number | boolean;
  /** Shown in help where the default cannot be a constant. */
  readonly defaultText?: string;
  /** Kept in config.toml. */
  readonly saved: boolean;
}

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"];
const TIERS = ["auto", "default", "flex", "priority", "fast"];
const DAY = 86_400;
const MAX = Number.MAX_SAFE_INTEGER;

/** The table. Order is that of `--help`. */
export const OPTIONS: readonly Option[] = [
  {
    name: "host",
    env: ["CODEX_PROXY_HOST"],
    type: "text",
    hint: "ADDRESS",
    default: "127.0.0.1",
    saved: true,
    help: "address to listen on; any but a loopback one needs a key",
  },
  {
    name: "port",
    env: ["CODEX_PROXY_PORT"],
    type: "integer",
    hint: "PORT",
    min: 0,
    max: 65_535,
    default: 8765,
    saved: true,
    help: "port to listen on; 0 takes a free one",
  },
  {
    name: "api_key",
    env: ["CODEX_PROXY_API_KEY"],
    type: "secrets",
    hint: "KEY",
    saved: true,
    help: "key that clients must present; - reads it from standard input; repeatable",
  },
  {
    name: "api_key_file",
    env: ["CODEX_PROXY_API_KEY_FILE"],
    type: "text",
    hint: "FILE",
    saved: true,
    help: "file with one key a line; label: before one names it in logs and metrics",
  },
  {
    name: "proxy",
    env: ["CODEX_API_PROXY_HTTPS_PROXY", "HTTPS_PROXY", "https_proxy"],
    type: "proxy",
    hint: "URL",
    defaultText: "none",
    saved: true,
    help: 'outbound proxy; "" for none; NO_PROXY is honoured',
  },
  {
    name: "log_level",
    env: ["CODEX_PROXY_LOG_LEVEL"],
    type: "choice",
    choices: ["debug", "info", "warning", "error"],
    default: "info",
    saved: true,
    help: "debug also logs messages, images left out",
  },
  {
    name: "log_format",
    env: ["CODEX_PROXY_LOG_FORMAT"],
    type: "choice",
    choices: ["text", "json"],
    default: "text",
    saved: true,
    help: "form of the log's lines",
  },
  {
    name: "models_cache_ttl",
    env: ["CODEX_PROXY_MODELS_CACHE_TTL"],
    type: "integer",
    hint: "SECONDS",
    min: 0,
    max: MAX,
    default: 300,
    saved: true,
    help: "how long the model list is kept; 0 asks each time",
  },
  {
    name: "fast",
    env: ["CODEX_PROXY_FAST"],
    type: "boolean",
    default: false,
    saved: true,
    help: "low latency by default: lowest effort, low verbosity, tier priority",
  },
  {
    name: "reasoning_effort",
    env: ["CODEX_PROXY_REASONING_EFFORT"],
    type: "choice",
    choices: EFFORTS,
    defaultText: "the request's, else the model's",
    saved: true,
    help: "effort where a request sets none",
  },
  {
    name: "verbosity",
    env: ["CODEX_PROXY_VERBOSITY"],
    type: "choice",
    choices: ["low", "medium", "high"],
    defaultText: "the request's, else the model's",
    saved: true,
    help: "verbosity where a request sets none",
  },
  {
    name: "service_tier",
    env: ["CODEX_PROXY_SERVICE_TIER"],
    type: "choice",
    choices: TIERS,
    defaultText: "the request's",
    saved: true,
    help: "service tier where a request sets none",
  },
  {
    name: "model_alias",
    env: ["CODEX_PROXY_MODEL_ALIAS"],
    type: "list",
    hint: "NAME=MODEL",
    saved: true,
    help: "model that a client's name stands for; * in NAME matches any characters; repeatable",
  },
  {
    name: "strict",
    env: ["CODEX_PROXY_STRICT"],
    type: "boolean",
    default: false,
    saved: true,
    help: "answer 400 where upstream cannot take a parameter, instead of leaving it out",
  },
  {
    name: "allow_host",
    env: ["CODEX_PROXY_ALLOW_HOST"],
    type: "list",
    hint: "NAME",
    saved: true,
    help: "host name that requests may carry beside loopback names; repeatable, * allows all",
  },
  {
    name: "allow_origin",
    env: ["CODEX_PROXY_ALLOW_ORIGIN"],
    type: "list",
    hint: "ORIGIN",
    saved: true,
    help: "web page origin that may call, such as http://localhost:3000; repeatable, * allows all",
  },
  {
    name: "chatgpt_base_url",
    env: ["CODEX_API_PROXY_CHATGPT_BASE_URL"],
    type: "url",
    hint: "URL",
    default: "https://chatgpt.com/backend-api/codex",
    saved: true,
    help: "upstream of a ChatGPT login; plain http only to loopback",
  },
  {
    name: "openai_base_url",
    env: ["CODEX_API_PROXY_OPENAI_BASE_URL"],
    type: "url",
    hint: "URL",
    default: "https://api.openai.com/v1",
    saved: true,
    help: "upstream of an API key; plain http only to loopback",
  },
  {
    name: "body_limit",
    env: ["CODEX_PROXY_BODY_LIMIT"],
    type: "size",
    hint: "BYTES",
    min: 1024,
    max: 2 ** 30,
    default: 64 * 2 ** 20,
    defaultText: "64M",
    saved: true,
    help: "largest request body after decoding; K, M and G are understood",
  },
  {
    name: "max_attempts",
    env: ["CODEX_PROXY_MAX_ATTEMPTS"],
    type: "integer",
    hint: "N",
    min: 1,
    max: 10,
    default: 3,
    saved: true,
    help: "upstream requests for one client request before its first output",
  },
  {
    name: "idle_timeout",
    env: ["CODEX_PROXY_IDLE_TIMEOUT"],
    type: "integer",
    hint: "SECONDS",
    min: 0,
    max: DAY,
    default: 0,
    saved: true,
    help: "silence of upstream after which a stream is given up; 0: never",
  },
  {
    name: "store_limit",
    env: ["CODEX_PROXY_STORE_LIMIT"],
    type: "integer",
    hint: "N",
    min: 0,
    max: 1_000_000,
    default: 1000,
    saved: true,
    help: "responses kept in memory for previous_response_id",
  },
  {
    name: "store_ttl",
    env: ["CODEX_PROXY_STORE_TTL"],
    type: "integer",
    hint: "SECONDS",
    min: 1,
    max: 30 * DAY,
    default: DAY,
    saved: true,
    help: "how long they are kept",
  },
  {
    name: "quota_warning",
    env: ["CODEX_PROXY_QUOTA_WARNING"],
    type: "integer",
    hint: "PERCENT",
    min: 0,
    max: 100,
    default: 90,
    saved: true,
    help: "use of a plan's window at which a warning is logged; 0: never",
  },
  {
    name: "demo",
    env: ["CODEX_PROXY_DEMO"],
    type: "boolean",
    default: false,
    saved: true,
    help: "serve a built-in offline upstream: no account, no network",
  },
  {
    name: "pid_file",
    env: ["CODEX_PROXY_PID_FILE"],
    type: "text",
    hint: "FILE",
    defaultText: "~/.codex-api-proxy/codex-api-proxy.pid",
    saved: true,
    help: "where the running server's pid is kept",
  },
  {
    name: "log_file",
    env: ["CODEX_PROXY_LOG_FILE"],
    type: "text",
    hint: "FILE",
    defaultText: "~/.codex-api-proxy/codex-api-proxy.log",
    saved: true,
    help: "log of the server in the background, rotated by size",
  },
  {
    name: "state_file",
    env: ["CODEX_PROXY_STATE_FILE"],
    type: "text",
    hint: "FILE",
    defaultText: "~/.codex-api-proxy/config.toml",
    saved: false,
    help: "where the settings are kept for restart, status and doctor",
  },
];

/** `log_level` → `--log-level`, without the dashes. */
export function flagOf(name: string): string {
  return name.replaceAll("_", "-");
}
