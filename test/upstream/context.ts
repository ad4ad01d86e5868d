import type { ServerResponse } from "node:http";
import type { Script } from "./faults.ts";
import type { Tokens } from "./tokens.ts";
import type { Behaviour, RecordedRequest, UpstreamOptions } from "./types.ts";
import type { UsageMeter } from "./usage.ts";

/** What lives as long as the double does. */
export interface State {
  readonly options: UpstreamOptions;
  readonly now: () => number;
  readonly tokens: Tokens;
  readonly script: Script;
  readonly usage: UsageMeter;
  /** Ids of output items given out: an unknown one cannot be referred to. */
  readonly knownIds: Set<string>;
  /** Answers that api.openai.com keeps when `store` is true: response and input. */
  readonly stored: Map<string, { response: object; input: readonly unknown[] }>;
  readonly codes: Map<string, { challenge: string; redirectUri: string }>;
  /** Device logins: how often each was polled. */
  readonly devices: Map<string, { userCode: string; polls: number }>;
}

/** One exchange. */
export interface Exchange {
  readonly request: RecordedRequest;
  readonly response: ServerResponse;
  readonly behaviour: Behaviour;
  readonly state: State;
}
