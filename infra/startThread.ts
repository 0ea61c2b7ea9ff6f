import { Worker } from 'node:worker_threads';

/**
 * Starts a thread at `entry`, the built module's address. Where Sluice runs from its sources, that is its source beside: tsx
 * does not take part in a worker by `--import`, it has to be asked inside.
 */
export function startThread(entry: URL, workerData: object): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(entry, { workerData });
  const source = entry.href.replace(/\.js$/, '.ts');
  const start =
    `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))})` +
    `.then(({ register }) => { register(); return import(${JSON.stringify(source)}); })`;
  return new Worker(start, { eval: true, workerData });
}

/** Asks a thread to end by this message, and cuts it off when it takes longer. It must not have ended before `exited` was made. */
export async function endThread(
  worker: Worker,
  message: string,
  timeoutMs: number,
  exited: Promise<void> = exitOf(worker),
): Promise<void> {
  worker.postMessage(message);
  const cut = setTimeout(() => void worker.terminate(), timeoutMs);
  await exited;
  clearTimeout(cut);
}

/** Resolves when the thread ends. */
export function exitOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.once('exit', () => resolve()));
}
