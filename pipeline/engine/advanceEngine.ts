import { setImmediate } from 'node:timers/promises';
import type { Ledger } from '../ports.ts';
import type { Engine } from './engine.ts';

const READ_RECORDS = 256;

/** Has an engine that decides nothing take the records below `toOffset`; ends early when the signal aborts. */
export async function advanceEngine(
  engine: Engine,
  ledger: Pick<Ledger, 'read'>,
  toOffset: number,
  signal?: AbortSignal,
): Promise<void> {
  while (engine.nextOffset < toOffset && signal?.aborted !== true) {
    const rows = await ledger.read(engine.nextOffset, Math.min(READ_RECORDS, toOffset - engine.nextOffset));
    await engine.process(rows);
    // There may be millions of them: health checks and stops must have their turn.
    await setImmediate();
  }
}
