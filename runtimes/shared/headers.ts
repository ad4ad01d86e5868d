import type { IncomingHttpHeaders } from "node:http";
import type { HeaderBag } from "../../src/platform.ts";

/** Headers as the parser left them, names in lower case: a `Headers` would check and sort what nobody may ever read. */
export class ParsedHeaders implements HeaderBag {
  readonly #raw: IncomingHttpHeaders;

  constructor(raw: IncomingHttpHeaders) {
    this.#raw = raw;
  }

  get(name: string): string | null {
    const value = this.has(name) ? this.#raw[name.toLowerCase()] : undefined;
    return Array.isArray(value) ? value.join(", ") : (value ?? null);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#raw, name.toLowerCase());
  }

  forEach(callback: (value: string, name: string) => void): void {
    for (const name of Object.keys(this.#raw)) callback(this.get(name) ?? "", name);
  }
}
