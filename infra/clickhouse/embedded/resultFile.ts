import { open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { EngineResult } from './engine.ts';
import { exception } from './exception.ts';
import { emptySummary, type ResponseWriter, type Summary } from './responseWriter.ts';

export interface ResultFileOptions {
  readonly path: string;
  readonly format: string;
  /** Hold everything back until the query is known to have succeeded. */
  readonly waitEndOfQuery: boolean;
  readonly maxBytes: number;
}

const pollMs = 25;
const readBytes = 256 * 1024;
/** A result this long is sent while the query still runs. */
const streamFromBytes = 1024 * 1024;

/**
 * Sends a result that the engine is writing to a file (INTO OUTFILE) while it grows. Small results wait for the end,
 * so that an error gets its proper status. Rejects with what `running` rejects with.
 */
export async function sendResultFile(
  running: Promise<EngineResult>,
  writer: ResponseWriter,
  options: ResultFileOptions,
): Promise<void> {
  const ended = running.then(
    () => true,
    () => true,
  );
  let sent = 0;
  for (;;) {
    const isEnded = await Promise.race([ended, delay(pollMs, false)]);
    if (isEnded) break;
    const size = await sizeOf(options.path);
    if (size > options.maxBytes)
      throw exception('TOO_MANY_ROWS_OR_BYTES', `The result is larger than ${String(options.maxBytes)} bytes`);
    if (options.waitEndOfQuery || (sent === 0 && size < streamFromBytes)) continue;
    if (!writer.isStarted) writer.start(options.format, emptySummary, undefined);
    sent = await copy(options.path, sent, size, writer);
  }
  const result = await running;
  const size = await sizeOf(options.path);
  if (!writer.isStarted) writer.start(options.format, summaryOf(result, size), size);
  await copy(options.path, sent, size, writer);
  writer.end();
}

export function summaryOf(result: EngineResult, resultBytes: number): Summary {
  return {
    ...emptySummary,
    readRows: result.rowsRead,
    readBytes: result.bytesRead,
    resultBytes,
    elapsedSeconds: result.elapsed,
  };
}

async function copy(path: string, from: number, to: number, writer: ResponseWriter): Promise<number> {
  if (from >= to) return from;
  const file = await open(path, 'r');
  try {
    let at = from;
    while (at < to) {
      const chunk = Buffer.allocUnsafe(Math.min(readBytes, to - at));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) break;
      await writer.write(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
    return at;
  } finally {
    await file.close();
  }
}

/** The engine makes the file with its first row; without one there is none. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
