import { addCandidateSteps } from './candidateReads.ts';
import type { EventDoubles } from './eventDoubles.ts';
import { AMOUNT, ENGINE_TIME } from './eventNumbers.ts';
import type { ProgramTargets } from './edgeProgram.ts';
import { FEATURES_DOUBLE, type ColumnKernel } from './kernel/columnKernel.ts';
import type { KernelDriver } from './kernel/kernelDriver.ts';
import { ProgramWords } from './kernel/programWords.ts';
import { compileProfileReads, readProfiles, type ProfileReads } from './profileReads.ts';
import { addWindowSteps } from './windowReads.ts';

/** How features are read from the rows of a payment's keys. */
export interface ReadProgram {
  /** The address of the driver's program, which reads all but profiles. */
  readonly program: number;
  readonly columns: readonly ColumnReads[];
  /** By feature. */
  readonly whenEmpty: Float64Array;
}

interface ColumnReads {
  readonly column: number;
  readonly kernel: ColumnKernel;
  /** All features of the column's keys; */
  readonly features: Int32Array;
  /** those that the kernel reads, in its order; and the address of its program. */
  readonly kernelFeatures: Int32Array;
  readonly kernelProgram: number;
  readonly profiles: ProfileReads;
}

/** The reads of all windows that do, or do not, include the current payment. */
export function compileReads({ plan, driver, tables, pairs }: ProgramTargets, includeCurrent: boolean): ReadProgram {
  const columns = plan.columns.flatMap((_, column): ColumnReads[] => {
    const reads = [...plan.reads.entries()].flatMap(([feature, read]) => {
      const isHere = read.kind !== 'expression' && read.column === column && read.includeCurrent === includeCurrent;
      return isHere ? [{ feature, read }] : [];
    });
    if (reads.length === 0) return [];
    const profiles = compileProfileReads(reads);
    const others = new Set(profiles.features);
    const kernelReads = reads
      .filter(({ feature }) => !others.has(feature))
      .map(({ feature, read }, place) => ({ feature, place, read }));

    const { kernel } = tables[column]!;
    const empty = new ProgramWords();
    for (const { read } of kernelReads) empty.addDouble(read.whenEmpty);
    const steps = new ProgramWords();
    const { counts, distincts, seen, sums, scores, rates, recencies } = addWindowSteps(steps, kernelReads, pairs);
    const lists = addCandidateSteps(steps, kernelReads);
    const head = [kernel.place(empty.words), counts, distincts, seen, sums, scores, rates, recencies, lists, 0];
    return [
      {
        column,
        kernel,
        features: Int32Array.from(reads, ({ feature }) => feature),
        kernelFeatures: Int32Array.from(kernelReads, ({ feature }) => feature),
        kernelProgram: kernel.place([...head, ...steps.words]),
        profiles,
      },
    ];
  });
  const steps = columns.flatMap(({ column, kernelProgram }) => [column, kernelProgram]);
  return {
    program: driver.place([columns.length, ...steps]),
    columns,
    whenEmpty: Float64Array.from(plan.reads, ({ whenEmpty }) => whenEmpty),
  };
}

/** Writes the features of the current payment, whose keys have these slots (negative: none, so NaN) and were handed to the driver, as of the engine's time. */
export function readFeatures(
  { program, columns, whenEmpty }: ReadProgram,
  driver: KernelDriver,
  slots: Int32Array,
  event: Float64Array,
  doubles: EventDoubles,
  out: Float64Array,
  outBase: number,
): void {
  if (columns.length === 0) return;
  driver.calls.readColumns(program, event[ENGINE_TIME]!, event[AMOUNT]!);
  for (let index = 0; index < columns.length; index++) {
    const { column, kernel, features, kernelFeatures, profiles } = columns[index]!;
    const slot = slots[column]!;
    if (slot < 0) {
      for (let place = 0; place < features.length; place++) out[outBase + features[place]!] = Number.NaN;
      continue;
    }
    const values = kernel.doubles;
    for (let place = 0; place < kernelFeatures.length; place++)
      out[outBase + kernelFeatures[place]!] = values[FEATURES_DOUBLE + place]!;
    if (profiles.steps.length > 0)
      readProfiles(profiles, kernel, kernel.rowBase(slot), event, doubles, whenEmpty, out, outBase);
  }
}
