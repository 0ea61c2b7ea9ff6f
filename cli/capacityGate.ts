import type { Deployment } from '../infra/deployment/loadDeployment.ts';
import type { CompiledConfiguration } from '../operators/configuration.ts';
import { backtest } from '../pipeline/backtest/backtest.ts';
import { capacityExcess, excessText, forcedReason } from '../pipeline/backtest/capacityGate.ts';
import { NoHistoryError } from '../pipeline/backtest/historyFacts.ts';
import { capacityLine } from './backtestText.ts';
import { askHistory, type HistoryAccessOptions } from './historyAccess.ts';
import { DEFAULT_BACKTEST_DAYS } from './rulesBacktest.ts';
import { UserError } from './userError.ts';

export interface GatedPublication {
  readonly configuration: CompiledConfiguration;
  readonly reason: string;
  /** Why it is published even so; undefined: it is not. */
  readonly force: string | undefined;
}

/**
 * Before a publication: refuses one that by a backtest over the last days would give the review team more alerts a day than it has
 * declared (review.capacityPerDay in sluice.yaml), unless it is forced. Gives the reason that the ledger is to keep, and prints a line.
 */
export async function gatedReason(
  deployment: Deployment,
  access: HistoryAccessOptions,
  { configuration, reason, force }: GatedPublication,
): Promise<string> {
  const { review } = deployment.settings;
  if (review.capacityPerDay === null) return reason;
  const span = { kind: 'days', days: DEFAULT_BACKTEST_DAYS } as const;
  const found = await askHistory(deployment, access, async (reader) => {
    try {
      return await backtest(configuration, span, review, reader.backtestRows);
    } catch (error) {
      if (error instanceof NoHistoryError) return null;
      throw error;
    }
  }).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  });
  if (found === null) {
    process.stdout.write('There is no history yet that tells how many alerts a day this makes.\n');
    return reason;
  }
  const [line, what] =
    typeof found === 'string'
      ? [`How many alerts a day this makes cannot be told: ${found}`, 'alerts a day not known']
      : [capacityLine(found), capacityExcess(found)];
  process.stdout.write(`${line}\n`);
  if (what === null) return reason;
  const said = typeof what === 'string' ? what : excessText(what);
  if (force !== undefined) return forcedReason(said, force, reason);
  throw new UserError(
    `Not published: ${said}. See sluice rules backtest; to publish all the same, say why: --force "..." [SLUICE_CAPACITY]`,
  );
}
