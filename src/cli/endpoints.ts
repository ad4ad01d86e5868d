/** The URL by which this machine reaches a server; a bind to all addresses is shown as loopback. */
export function publicUrl(host: string, port: number): string {
  return `http://${urlHost(host)}:${port}`;
}

function urlHost(host: string): string {
  const bare = host.replace(/^\[|\]$/g, "");
  if (bare === "0.0.0.0" || bare === "::") return "127.0.0.1";
  return bare.includes(":") ? `[${bare}]` : bare;
}

/** `api endpoints:` as `start` and `status` show it. */
export function endpointLines(host: string, port: number): string {
  const base = `${publicUrl(host, port)}/v1`;
  return `api endpoints:\n  base_url: ${base}\n  chat_completions_url: ${base}/chat/completions\n`;
}
