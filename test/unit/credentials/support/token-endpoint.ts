import type { CancelSignal, UpstreamFetch, UpstreamRequest } from "../../../../src/platform.ts";
import { fromResponse } from "../../../../src/stream/byte-source.ts";
import { mintIdToken, mintRefreshToken, mintToken } from "../../../upstream/tokens.ts";
import type { ManualClock } from "./manual-clock.ts";

export interface TokenCall {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: Record<string, string>;
  readonly aborted: () => boolean;
}

export type Answer = Response | Error | Promise<Response>;

/** `/oauth/token` in memory: spends every refresh token once, as upstream does. */
export interface TokenEndpoint {
  readonly fetch: UpstreamFetch;
  readonly calls: TokenCall[];
  readonly spent: Set<string>;
  /** Spends of a token that was spent before. */
  reused: number;
  /** Account of the tokens to issue. */
  account: string;
  /** Lifetime of the tokens to issue, in seconds. */
  lifetime: number;
  /** Replaces the answer; undefined answers as upstream does. */
  answer: ((call: TokenCall) => Answer | undefined) | undefined;
  /** Issues tokens without a call, as for another program. */
  rotate(refreshToken: string): { access_token: string; id_token: string; refresh_token: string };
}

export function tokenEndpoint(clock: ManualClock, account: string): TokenEndpoint {
  const endpoint: TokenEndpoint = {
    calls: [],
    spent: new Set(),
    reused: 0,
    account,
    lifetime: 864_000,
    answer: undefined,
    rotate(refreshToken) {
      endpoint.spent.add(refreshToken);
      const mint = { account: endpoint.account, now: clock.now() };
      return {
        access_token: mintToken({ ...mint, expiresIn: endpoint.lifetime }),
        id_token: mintIdToken(mint),
        refresh_token: mintRefreshToken(endpoint.account),
      };
    },
    async fetch(url, request) {
      const call = record(url, request);
      endpoint.calls.push(call);
      const scripted = endpoint.answer?.(call);
      if (scripted instanceof Error) throw scripted;
      const response = await abortable(scripted ?? Promise.resolve(spend(endpoint, call)), request.signal);
      return fromResponse(response);
    },
  };
  return endpoint;
}

function spend(endpoint: TokenEndpoint, { body }: TokenCall): Response {
  const token = body.refresh_token ?? "";
  if (endpoint.spent.has(token)) {
    endpoint.reused++;
    return refusal(401, "refresh_token_reused");
  }
  return Response.json(endpoint.rotate(token));
}

/** An error answer of the token endpoint; its message quotes a secret, as a careless server might. */
export function refusal(status: number, code: string): Response {
  return Response.json(
    { error: { message: "secret rt_quoted", type: "invalid_request_error", param: null, code } },
    { status },
  );
}

function record(url: string, { headers, body, signal }: UpstreamRequest): TokenCall {
  return {
    url,
    headers,
    body: typeof body === "string" ? (JSON.parse(body) as Record<string, string>) : {},
    aborted: () => signal?.aborted === true,
  };
}

function abortable(answer: Response | Promise<Response>, signal: CancelSignal | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    Promise.resolve(answer).then(resolve, reject);
  });
}
