import type { Candidates } from './candidates.ts';
import { runCandidates, runRecencies, runSums, type EdgeProgram } from './edgeProgram.ts';
import { hasBit } from './eventBits.ts';
import { splitAmount, splitSquare } from './exactSums.ts';
import { runNets, splitNet } from './netSums.ts';
import type { PairCounts } from './pairCounts.ts';
import { bitWordsOf, type FeaturePlan } from './plan.ts';
import { refundedMinor } from './refundWords.ts';

/** Has events cross edges: runs an edge's program on the rows of an event's keys. */
export class EdgeCrossing {
  readonly #plan: FeaturePlan;
  readonly #candidates: Candidates;
  readonly #pairs: readonly PairCounts[];
  readonly #event: Float64Array;
  /** By predicate, 1 if it holds for the event that crosses. */
  readonly #holds: Uint8Array;
  /** Where among an event's words it stands what was refunded of it. */
  readonly #refundAt: number;

  /** `event` has the numbers of the event that crosses (eventNumbers.ts). */
  constructor(plan: FeaturePlan, candidates: Candidates, pairs: readonly PairCounts[], event: Float64Array) {
    this.#plan = plan;
    this.#candidates = candidates;
    this.#pairs = pairs;
    this.#event = event;
    this.#holds = new Uint8Array(plan.predicates.length);
    this.#refundAt = plan.columns.length + bitWordsOf(plan);
  }

  /** Runs the program on the event whose words start at `at`, and of which these facts are known. */
  run(edge: EdgeProgram, words: Int32Array, at: number, facts: number): void {
    const event = this.#event;
    const holds = this.#holds;
    if (edge.usesSums) splitAmount(event);
    if (edge.usesSquares) splitSquare(event);
    if (edge.usesNets) splitNet(event, refundedMinor(words, at + this.#refundAt), facts);
    this.#evaluate(edge.predicates, words, at + this.#plan.columns.length, facts);
    const { groups } = edge;
    for (let index = 0; index < groups.length; index++) {
      const group = groups[index]!;
      const slot = words[at + group.column]!;
      if (slot < 0) continue;
      const row = group.table.segment(slot);
      const base = group.table.rowBase(slot);
      runSums(group, row, base, holds, event);
      runRecencies(group.recencies, row, base, holds, event);
      if (edge.usesNets) runNets(group.nets, row, base, holds, event);
      runCandidates(group, this.#candidates, row, base, holds, event);
      const { distincts } = group;
      for (let pair = 0; pair < distincts.length; pair++) {
        const { valueColumn, pairs, steps } = distincts[pair]!;
        const value = words[at + valueColumn]!;
        if (value >= 0) this.#pairs[pairs]!.run(steps, slot, value, holds, row, base);
      }
    }
  }

  #evaluate(predicates: Int32Array, words: Int32Array, bitsAt: number, facts: number): void {
    const { predicates: plans, factBits } = this.#plan;
    for (let index = 0; index < predicates.length; index++) {
      const predicate = predicates[index]!;
      const { firstBit, factTable } = plans[predicate]!;
      this.#holds[predicate] = Number(hasBit(words, bitsAt, firstBit + factBits[factTable + facts]!));
    }
  }
}
