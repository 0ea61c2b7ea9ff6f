import type { Transaction } from '../../schemas/types.ts';
import type { ProgramTargets } from './edgeProgram.ts';
import type { KernelDriver } from './kernel/kernelDriver.ts';
import { byteOffset } from './kernel/programWords.ts';
import { fieldReader } from './keyField.ts';
import type { KeyTable } from './keyTable.ts';
import { LINE_DOUBLES } from './rowLayout.ts';

interface TextColumn {
  readonly column: number;
  readonly table: KeyTable;
  readonly read: (tx: Transaction) => string | null;
}

/**
 * Finds a payment's keys, and reads ahead what its step is about to use, in three waves, each of which needs the one before: where its keys
 * are looked up; their rows and pairs, with those of the events that leave windows; the lists in these.
 */
export class PaymentKeys {
  readonly #driver: KernelDriver;
  readonly #texts: readonly TextColumn[];
  /** Addresses of the driver's programs. */
  readonly #program: number;
  readonly #rowsProgram: number;

  constructor(targets: ProgramTargets) {
    const { driver, plan, tables } = targets;
    this.#driver = driver;
    this.#texts = plan.columns.flatMap(({ fields, members }, column) =>
      members.length > 0 ? [] : [{ column, table: tables[column]!, read: fieldReader(fields[0]!) }],
    );
    const members = plan.columns.flatMap(({ members: columns }) => [columns.length, ...columns]);
    this.#program = driver.place([plan.columns.length, ...members]);
    this.#rowsProgram = compileRows(targets);
  }

  /** Takes the payment's texts, and reads the first two waves: before time moves on to the payment's. */
  foresee(tx: Transaction): void {
    const { given, calls } = this.#driver;
    const texts = this.#texts;
    for (let index = 0; index < texts.length; index++) {
      const { column, table, read } = texts[index]!;
      given[column] = table.take(read(tx));
    }
    calls.foreseeKeys(this.#program, this.#rowsProgram, tx.eventTimeMs);
  }

  /** Finds the payment's slots, or gives new ones: they are the driver's then. Returns how many keys were refused. */
  find(): number {
    return this.#driver.calls.findKeys(this.#program, this.#rowsProgram);
  }
}

/** Of each column its number, its lists, its row and pairs, and the values of these. */
function compileRows({ plan, driver, tables, pairs }: ProgramTargets): number {
  const columns = plan.columns.flatMap(({ rowLength }, column) => {
    const { kernel } = tables[column]!;
    const lines = Array.from({ length: Math.ceil(rowLength / LINE_DOUBLES) }, (_, line) =>
      byteOffset(line * LINE_DOUBLES),
    );
    const counted = plan.pairs.filter((pair) => pair.column === column);
    const pairTables = counted.map(({ index }) => pairs[index]!.table);
    const lists = plan.candidates
      .filter((part) => part.column === column && part.room === 0)
      .map(({ at }) => byteOffset(at));
    const row = kernel.place([lines.length, counted.length, ...lines, ...pairTables]);
    const listed = lists.length === 0 ? 0 : kernel.place([lists.length, 0, ...lists]);
    return [column, listed, row, counted.length, ...counted.map(({ valueColumn }) => valueColumn)];
  });
  return driver.place([plan.columns.length, ...columns]);
}
