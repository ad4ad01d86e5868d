/** One line of doctor's report. */
export interface Check {
  readonly label: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it, where it is not ok. */
  readonly fix?: string;
}

export const good = (label: string, detail: string): Check => ({ label, ok: true, detail });

export const bad = (label: string, detail: string, fix: string): Check => ({ label, ok: false, detail, fix });

/** A failure's text, for a detail. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error && error.message === "fetch failed" ? error.cause : error;
  const code = (cause as { code?: unknown }).code;
  return typeof code === "string" && !cause.message.includes(code) ? `${cause.message} (${code})` : cause.message;
}
