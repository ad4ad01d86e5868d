/** What requests are signed with. */
export type Credentials =
  | { readonly mode: "api_key"; readonly apiKey: string }
  | {
      readonly mode: "chatgpt";
      /** A JWT, or a personal access token. */
      readonly accessToken: string;
      /** Undefined for a personal access token: there is nothing to refresh. */
      readonly refreshToken: string | undefined;
      readonly accountId: string | undefined;
      /** FedRAMP accounts send `x-openai-fedramp: true`. */
      readonly fedramp: boolean;
      /** Epoch seconds of the access token's `exp`; undefined when it cannot be read. */
      readonly expiresAt: number | undefined;
    };

/** The login in use, shared by all requests of a process. */
export interface CredentialSession {
  /**
   * Credentials that are good to send; refreshes first when the documented rules say so.
   * A changed auth.json is picked up here.
   * @throws ProxyError `credentials` (no usable file) or `login_expired` (dead login, latched until the file changes).
   */
  current(): Promise<Credentials>;
  /**
   * After upstream refused `refused` with 401: re-reads the file, then refreshes, one at a time.
   * Gives credentials that differ from `refused`.
   * @throws ProxyError `login_expired` when there are none; for an API key unless the file holds another by now.
   */
  recover(refused: Credentials): Promise<Credentials>;
  /** Resolves when no refresh is under way. A process that exits before may lose the login with the answer. */
  settled?(): Promise<void>;
  /** Resolved path of auth.json, for `/ready` and `doctor`. */
  readonly authPath: string;
}
