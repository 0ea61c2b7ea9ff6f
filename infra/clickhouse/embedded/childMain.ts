/**
 * The process that holds the ClickHouse engine: told by IPC what to open, it serves HTTP on 127.0.0.1 until SIGTERM
 * or until its parent is gone. A process of its own because the engine takes half a gigabyte, may crash, and does not
 * end with a worker thread.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startMessageSchema, type ChildMessage, type StartMessage } from './childMessages.ts';
import { Endpoint } from './endpoint.ts';
import { EmbeddedClickHouseError } from './platform.ts';
import { Spool } from './spool.ts';

const closeGraceMs = 2000;

let endpoint: Endpoint | undefined;
let isEnding = false;

function end(): void {
  if (isEnding) return;
  isEnding = true;
  void (endpoint?.close(closeGraceMs) ?? Promise.resolve()).finally(() => {
    process.exit(0);
  });
}

// The parent is gone: nobody needs the results of what runs. Tables do not mind a kill, whereas the engine may wait
// for its queries in an orderly exit.
process.on('disconnect', () => {
  process.kill(process.pid, 'SIGKILL');
});
process.on('SIGTERM', end);
// Ctrl-C in a terminal reaches the whole group; the parent decides when its history ends.
process.on('SIGINT', () => undefined);

process.once('message', (message) => {
  void start(startMessageSchema.parse(message));
});

async function start(message: StartMessage): Promise<void> {
  try {
    const engineDir = join(message.dataDir, 'engine');
    mkdirSync(engineDir, { recursive: true });
    // The engine locks its folder first: another process's spool must not be emptied.
    endpoint = await Endpoint.open(
      { ...message, dataDir: engineDir, configurationFile: join(message.dataDir, 'engine.xml') },
      () => new Spool(join(message.dataDir, 'spool')),
    );
    tell({ type: 'ready', port: endpoint.port });
  } catch (error) {
    tell(failure(error, message), () => {
      process.exit(1);
    });
  }
}

function failure(error: unknown, message: StartMessage): ChildMessage {
  if (error instanceof EmbeddedClickHouseError)
    return { type: 'failed', code: 'SLUICE_HISTORY_UNSUPPORTED', message: error.message };
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return {
      type: 'failed',
      code: 'SLUICE_HISTORY_PORT',
      message: `Port ${String(message.port)} on 127.0.0.1 is taken: stop what uses it, or set another history port`,
    };
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    type: 'failed',
    code: 'SLUICE_HISTORY_START',
    message: `The embedded ClickHouse engine did not start in ${message.dataDir}: ${text.trim()}`,
  };
}

function tell(message: ChildMessage, onSent: () => void = () => undefined): void {
  process.send?.(message, onSent);
}
