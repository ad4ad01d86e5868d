import type { Platform } from "../../platform.ts";

/** A model as a client is told of it. */
export interface TargetModel {
  readonly id: string;
  readonly name: string;
  /** Tokens; undefined where the catalogue does not say. */
  readonly context: number | undefined;
  readonly output: number | undefined;
}

/** The server that a client is pointed at. */
export interface Target {
  /** Without `/v1`. */
  readonly baseUrl: string;
  /** What clients present; any text where the server needs none. */
  readonly key: string;
  /** The model for the work itself, for Claude Code's middle tier, and for small things such as titles. */
  readonly main: TargetModel;
  readonly middle: TargetModel;
  readonly light: TargetModel;
  readonly models: readonly TargetModel[];
}

/** How a client is started on a server. */
export interface Launch {
  readonly args: readonly string[];
  /** Undefined takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A private file that the client reads for the time it runs, named to it by a variable, or by an option before `args`. */
  readonly file?: { readonly name: string; readonly text: string } & (
    | { readonly variable: string }
    | { readonly option: string }
  );
}

/** One program that can be set up. */
export interface Client {
  readonly name: string;
  /** Executables by which `run` knows it. */
  readonly commands: readonly string[];
  /** Its own settings file, where it has one. */
  file?(platform: Pick<Platform, "env" | "homeDir">): string;
  /**
   * The settings file's text with this server in it; everything else stays.
   * @throws UsageError when the text cannot be merged into.
   */
  merge?(text: string | undefined, target: Target): string;
  /** What to put where, for a person. */
  show(target: Target): string;
  launch(args: readonly string[], target: Target, ownSettings: string | undefined): Launch;
}

/** What clients send to a server that asks for no key: most refuse to start without one. */
export const NO_KEY = "unused";

/** Name under which clients list this server. */
export const PROVIDER = "codex-api-proxy";
