/**
 * Waits for Ctrl-C (or SIGTERM), or for `failed` to reject. A second Ctrl-C ends the process at once.
 */
export async function untilStopped(
  failed: Promise<never>,
  also: AbortSignal = new AbortController().signal,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    const stop = (): void => {
      process.once('SIGINT', () => process.exit(130));
      resolve();
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    also.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([stopped, failed]);
}
