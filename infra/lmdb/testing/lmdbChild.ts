/**
 * A program that the fault tests run as another process: appends for ever and prints what was acknowledged (`append`),
 * follows another writer (`follow`), or only opens the folder (`open`).
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { openLmdb } from '../openLmdb.ts';

const say = (line: string): void => {
  if (isMainThread) process.stdout.write(`${line}\n`);
  else parentPort?.postMessage(line);
};

async function append(folder: string): Promise<void> {
  const data = openLmdb(folder);
  say(`end ${data.ledger.endOffset()}`);
  const appendForEver = async (lane: number): Promise<never> => {
    for (let index = 0; ; index++) {
      const values = Array.from({ length: 1 + (index % 3) }, (_, part) =>
        Buffer.from(`${process.pid}:${lane}:${index}:${part}:${'x'.repeat(300)}`),
      );
      try {
        const first = await data.ledger.append(values);
        await data.decisions.put([
          { ledgerOffset: first, transactionId: `t-${first}`, isFirst: true, value: Buffer.from(`d-${first}`) },
        ]);
        say(`ok ${first} ${values.length}`);
      } catch (error) {
        say(`refused ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  await Promise.all([0, 1, 2, 3].map(appendForEver));
}

async function follow(folder: string, count: number): Promise<void> {
  const data = openLmdb(folder, { readOnly: true });
  const controller = new AbortController();
  let seen = 0;
  say('following');
  for await (const rows of data.ledger.tail(0, { maxRecords: 100, signal: controller.signal })) {
    for (const row of rows) {
      if (row.offset !== seen) throw new Error(`expected offset ${seen}, saw ${row.offset}`);
      seen++;
    }
    if (seen >= count) controller.abort();
  }
  say(`followed ${seen} decisions ${(await data.decisions.read(0, count)).length}`);
  await data.close();
}

async function openOnly(folder: string): Promise<void> {
  try {
    await openLmdb(folder).close();
    say('opened');
  } catch (error) {
    say(error instanceof Error && 'code' in error ? `${String(error.code)} ${error.message}` : String(error));
  }
}

const given: unknown = isMainThread ? process.argv.slice(2) : workerData;
const [command, folder, count] = Array.isArray(given) ? given.map(String) : [];
if (command === 'append') await append(folder ?? '');
else if (command === 'follow') await follow(folder ?? '', Number(count));
else await openOnly(folder ?? '');
