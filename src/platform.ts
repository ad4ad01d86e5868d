/** The ports that a runtime fills. `src/` sees the world through these and nothing else. */

/** How to reach upstream. Proxy and CA are known only after the configuration is loaded. */
export interface UpstreamNetwork {
  /** http(s):// URL of the outbound proxy, credentials included; undefined for a direct connection. */
  readonly proxyUrl: string | undefined;
  /** `NO_PROXY` entries: host names, `.suffix`, `host:port`, `*`, addresses. */
  readonly noProxy: readonly string[];
  /** PEM text that is trusted in addition to the public roots. */
  readonly extraCa: string | undefined;
}

/** What this program needs of an AbortSignal; `Cancellation` has it without the runtime's event target. */
export interface CancelSignal extends Pick<AbortSignal, "aborted" | "reason" | "throwIfAborted"> {
  addEventListener(type: "abort", listener: () => void, options?: { once: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Response headers, as far as they are read. Names are in lower case. */
export interface HeaderBag extends Pick<Headers, "get" | "has"> {
  forEach(callback: (value: string, name: string) => void): void;
}

export interface UpstreamRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  /** Aborting cancels the exchange at any stage, also before the response's headers. */
  readonly signal?: CancelSignal;
}

/** Receives the bytes of a response body. */
export interface ByteSink {
  /** The bytes are the sink's from now on. */
  chunk(bytes: Uint8Array<ArrayBuffer>): void;
  /** The body ended in order. */
  end(): void;
  /** The connection broke; nothing follows. */
  error(cause: unknown): void;
}

/** Steers a body that is being read. */
export interface ByteFlow {
  pause(): void;
  resume(): void;
  /** Frees the connection; the sink hears nothing more. */
  cancel(): void;
}

/**
 * A response whose body is pushed, not pulled: on Node this saves one web stream a response, the largest single cost
 * of the stream path. Exactly one of `read`, `text` and `discard` is called, once.
 */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: HeaderBag;
  read(sink: ByteSink): ByteFlow;
  /** The body as text, cut at `limit` bytes, and at what has come `withinMs`. */
  text(limit: number, withinMs?: number): Promise<string>;
  discard(): void;
}

/**
 * One exchange with upstream. Never follows redirects, never adds cookies.
 * Rejects with the runtime's own error when there is no response, with `signal.reason` when it was aborted.
 */
export type UpstreamFetch = (url: string, request: UpstreamRequest) => Promise<UpstreamResponse>;

/** What is read of a client's request; a Web `Request` is one. */
export interface ServerRequest extends Pick<Request, "method" | "url" | "body"> {
  readonly headers: HeaderBag;
  /** Aborted when the client closes the connection before it has its whole answer. */
  readonly signal: CancelSignal;
  /** The whole body, its coding not undone; once, and instead of `body`. */
  arrayBuffer(): Promise<ArrayBuffer | Uint8Array>;
}

/** Takes the bytes of an answer's body. */
export interface BodySink {
  /** False: the client is behind; what follows waits in memory until `resume`. */
  write(bytes: Uint8Array<ArrayBuffer>): boolean;
  end(): void;
  /** The body broke off: the connection is cut, so that nobody takes it for whole. */
  error(cause: unknown): void;
}

/** Steers a body that is being written. */
export interface BodyFlow {
  /** The client has caught up. */
  resume(): void;
  /** The client left. */
  cancel(): void;
}

/** A body that is pushed, not pulled: on Node, where it goes to the socket, this saves a web stream an answer. */
export interface PushedBody {
  /** Starts the body; called once. */
  open(sink: BodySink): BodyFlow;
}

/** What a client is answered. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Record<string, string>;
  readonly body: string | PushedBody | null;
}

/**
 * Answers one request. `clientLeft` gives the signal in place of `request.signal`, where a runtime's own tells something
 * else.
 */
export type Handler = (request: ServerRequest, clientLeft?: () => CancelSignal) => Answer | Promise<Answer>;

export interface Listener {
  readonly port: number;
  /** Stops accepting; resolves when open requests have ended or `deadlineMs` has passed and they were cut. */
  close(deadlineMs: number): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
}

export interface FileStore {
  /** Undefined when there is no such file. Rejects when it exists and cannot be read. */
  readText(path: string): Promise<string | undefined>;
  /** Temp file in the same folder, fsync, rename; follows a symlink; `mode` holds from the first byte. */
  writeTextAtomic(path: string, text: string, mode: number): Promise<void>;
  /** Appends, creating with `mode`. */
  append(path: string, text: string, mode: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  makeDir(path: string, mode: number): Promise<void>;
  /** Sets the permission bits of a file or folder; rejects when there is none or it is somebody else's. */
  setMode(path: string, mode: number): Promise<void>;
  /** Size, mode bits and change stamp; undefined when there is no such file. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Runs `work` while holding a lock file beside `path`, across processes; a stale lock is taken over. */
  withLock<T>(path: string, work: () => Promise<T>): Promise<T>;
}

export interface FileStat {
  readonly size: number;
  /** Permission bits, e.g. 0o600. */
  readonly mode: number;
  /** False for a folder, a pipe or a device: to read one may fail, or wait for ever. */
  readonly regular: boolean;
  /**
   * Changes whenever the content may have changed: inode, size and mtime in one text. That of a file which has just been
   * written changes each time, since another write could leave all three as they are.
   */
  readonly stamp: string;
}

export interface SpawnOptions {
  readonly args: readonly string[];
  readonly env: Record<string, string | undefined>;
  /** Both output streams go to this file when detached. */
  readonly logPath?: string;
}

export interface Processes {
  readonly pid: number;
  /** Starts this program again, detached from the terminal; gives its pid. */
  spawnDetached(options: SpawnOptions): Promise<number>;
  /** Runs another program in the foreground with this terminal; gives its exit code. */
  run(command: string, args: readonly string[], env: Record<string, string | undefined>): Promise<number>;
  isAlive(pid: number): boolean;
  /** Opaque start mark of a process (start time), so that a recycled pid is told apart; undefined when unknown. */
  startMark(pid: number): Promise<string | undefined>;
  signal(pid: number, signal: "SIGTERM" | "SIGKILL" | "SIGHUP"): void;
  /** Calls back at each SIGINT or SIGTERM. */
  onShutdown(callback: () => void): void;
  onReload(callback: () => void): void;
  /** What nobody has caught is told, and does not end the process. */
  onUncaught(callback: (error: unknown) => void): void;
  exit(code: number): never;
  openUrl(url: string): Promise<boolean>;
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Rejects with `signal.reason` when aborted. */
  sleep(ms: number, signal?: CancelSignal): Promise<void>;
}

/** The process's memory. */
export interface Memory {
  /** Resident size in bytes; undefined where it cannot be told, as when the process has no descriptor left to look with. */
  resident(): number | undefined;
  /** Collects all garbage and gives what it took back to the system: tens of milliseconds in which nothing else runs. */
  trim(): Promise<void>;
  /**
   * Bounds what a busy runtime takes for its garbage; asked some times a second while there is work.
   * @param tight Takes no more than it has: what is made lives on, or is large.
   */
  restrain?(tight: boolean): void;
}

/** What a runtime provides to the CLI. */
export interface Platform {
  readonly runtime: { readonly name: "node" | "bun" | "deno"; readonly version: string };
  /** `linux`, `darwin` or `win32`, and the CPU, for the User-Agent. */
  readonly os: { readonly platform: string; readonly arch: string };
  readonly homeDir: string;
  readonly argv: readonly string[];
  /** Absolute path of the running entry script. */
  readonly scriptPath: string;
  /** The command line that starts this program again, without arguments: executable, the runtime's own arguments, script. */
  readonly commandLine: readonly string[];
  env(name: string): string | undefined;
  environment(): Record<string, string | undefined>;
  createFetch(network: UpstreamNetwork): UpstreamFetch;
  /**
   * Loads what a server will need only later, never throws. After weeks the files may be others, or gone: an update, a
   * package runner's folder that the system has cleaned up.
   */
  preload(): void;
  listen(handler: Handler, options: ListenOptions): Promise<Listener>;
  readonly files: FileStore;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly memory: Memory;
  readonly stdin: { isTerminal(): boolean; readText(): Promise<string> };
  isTerminal(stream: "stdout" | "stderr"): boolean;
  /** Synchronous: for what a command tells its user. */
  write(stream: "stdout" | "stderr", text: string): void;
  /** Beside the event loop: a reader that has stopped reading holds up nothing. */
  writeAsync(stream: "stdout" | "stderr", text: string): Promise<void>;
}
