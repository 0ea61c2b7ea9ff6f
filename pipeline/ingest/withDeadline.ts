import type { Timer } from '../ports.ts';

/** The promise's value, or undefined when it has none after `ms` milliseconds. */
export async function withDeadline<T>(
  promise: Promise<T | undefined>,
  ms: number,
  timer: Timer = wallTimer,
): Promise<T | undefined> {
  let callOff = (): void => undefined;
  const deadline = new Promise<undefined>((resolve) => {
    callOff = timer(ms, () => {
      resolve(undefined);
    });
  });
  const value = await Promise.race([promise, deadline]);
  callOff();
  return value;
}

/** This machine's. */
export const wallTimer: Timer = (delayMs, onTime) => {
  const timeout = setTimeout(onTime, delayMs);
  return () => {
    clearTimeout(timeout);
  };
};
