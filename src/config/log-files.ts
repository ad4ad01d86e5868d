/** Older parts of the log that are kept beside it. */
export const LOG_PARTS_KEPT = 3;

/** Where they are, youngest first. */
export const olderLogs = (path: string): string[] =>
  Array.from({ length: LOG_PARTS_KEPT }, (_, at) => `${path}.${at + 1}`);
