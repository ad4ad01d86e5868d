/** Resident size of this process; undefined when the runtime, which reads it from a file, has no descriptor left for it. */
export function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}
