/** The promise's value, or undefined when it has none after `ms` milliseconds. */
export async function withDeadline<T>(promise: Promise<T | undefined>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  const value = await Promise.race([promise, deadline]);
  clearTimeout(timer);
  return value;
}
