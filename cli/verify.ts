import { Command, InvalidArgumentError } from 'commander';
import { LmdbStoredRows } from '../infra/lmdb/lmdbStoredRows.ts';
import { openLmdb } from '../infra/lmdb/openLmdb.ts';
import { decodeSeal } from '../pipeline/chain/seal.ts';
import { verifyStores, type Anchor, type VerifyReport } from '../pipeline/chain/verifyStores.ts';
import { dataFolder, requirePlace } from './deployment.ts';
import { isRefused, withHistoryOptions, type HistoryAccessOptions } from './historyAccess.ts';
import { ProgressLine } from './progressLine.ts';
import { replayAll, replayText } from './replay.ts';
import { UserError } from './userError.ts';
import { openVerifiedHistory } from './verifiedHistory.ts';
import { verifyReport } from './verifyReport.ts';

export function verifyCommand(): Command {
  const command = new Command('verify').description(
    'Prove that no ledger record, decision or history row was changed, added or removed since it was written; name those that were.',
  );
  return withHistoryOptions(command)
    .option('--no-history', 'look at the data folder only')
    .option('--head', 'only print the newest seal as OFFSET:SHA256, to be kept where nobody who can write here can')
    .option(
      '--expect <offset:sha256>',
      'a seal kept before that the chain must still have; may be repeated',
      anchors,
      [],
    )
    .option('--replay', 'also decide everything again from the ledger and compare')
    .option('--json', 'the report as JSON')
    .addHelpText(
      'after',
      `
Reads only, beside a running Sluice or on its folder when it is stopped. Exit code 1 when anything is not what it was.
Whoever can rewrite all of it, seals too, is found by --expect alone: keep a --head elsewhere, every day.`,
    )
    .action(async (options: VerifyCommandOptions) => {
      const deployment = await requirePlace(options.config);
      const dataDir = dataFolder(deployment, options.data);
      if (options.head === true) {
        await printHead(dataDir);
        return;
      }
      const history = options.history ? await openVerifiedHistory(deployment, dataDir, options) : null;
      const progress = new ProgressLine(options.json !== true);
      const rows = new LmdbStoredRows(dataDir);
      try {
        const report = await verifyStores(
          { rows, history: history?.audit ?? null },
          {
            anchors: options.expect,
            onProgress: (done, total) => {
              progress.show(`${done.toLocaleString('en')} of ${total.toLocaleString('en')} records`, done / total);
            },
          },
        );
        progress.clear();
        await tell(report, dataDir, options);
      } catch (error) {
        if (!isRefused(error)) throw error;
        throw new UserError(
          'The history of the running Sluice does not answer: it may be starting or stopping. Try again, give --history-port if it ' +
            'was started with one, or look at the data folder only: --no-history.',
        );
      } finally {
        await rows.close();
        await history?.close();
      }
    });
}

interface VerifyCommandOptions extends Pick<HistoryAccessOptions, 'config' | 'data' | 'historyPort'> {
  /** Commander's form of --no-history. */
  readonly history: boolean;
  readonly head?: boolean;
  readonly expect: readonly Anchor[];
  readonly replay?: boolean;
  readonly json?: boolean;
}

async function tell(report: VerifyReport, dataDir: string, { replay, json }: VerifyCommandOptions): Promise<void> {
  if (json !== true) process.stdout.write(verifyReport(report));
  const replayed = replay === true ? await replayAll(dataDir, new ProgressLine(json !== true)) : null;
  if (json === true) process.stdout.write(`${JSON.stringify({ ...report, replay: replayed })}\n`);
  else if (replayed !== null) process.stdout.write(replayText(replayed));
  process.exitCode = report.totalFindings === 0 && (replayed?.different ?? 0) === 0 ? 0 : 1;
}

async function printHead(dataDir: string): Promise<void> {
  const data = openLmdb(dataDir, { readOnly: true });
  const last = data.decisions.lastSeal();
  await data.close();
  const seal = last === null ? undefined : decodeSeal(last.ledgerOffset, last.value);
  if (seal === undefined)
    throw new UserError(`No record in ${dataDir} is sealed yet: start Sluice on it and send a payment.`);
  process.stdout.write(`${seal.ledgerOffset}:${seal.chainSha256}\n`);
}

function anchors(text: string, before: readonly Anchor[]): readonly Anchor[] {
  const [, offset, chainSha256] = /^(\d{1,15}):([0-9a-fA-F]{64})$/.exec(text.trim()) ?? [];
  if (offset === undefined || chainSha256 === undefined)
    throw new InvalidArgumentError('Must be OFFSET:SHA256 as sluice verify --head prints it.');
  return [...before, { ledgerOffset: Number(offset), chainSha256: chainSha256.toLowerCase() }];
}
