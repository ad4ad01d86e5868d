/** Closes in order; what is still open after `deadlineMs` is cut. Resolves in either case. */
export async function closeWithin(close: () => Promise<void>, cut: () => unknown, deadlineMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      cut();
      resolve();
    }, deadlineMs);
  });
  await Promise.race([close(), deadline]);
  clearTimeout(timer);
}
