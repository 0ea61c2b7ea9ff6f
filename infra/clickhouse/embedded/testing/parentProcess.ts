/** A parent to be killed: starts the engine in the folder given and prints the child's process id. */
import { startedClickHouse } from './startedClickHouse.ts';

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error('usage: parentProcess.ts DATA_DIR');
const { server, post } = await startedClickHouse({ dataDir });
process.stdout.write(`${String(server.pid)}\n`);
// Something to do for the engine, so that it is not found idle.
void post('/', 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1').catch(() => undefined);
setInterval(() => undefined, 60_000);
