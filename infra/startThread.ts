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
