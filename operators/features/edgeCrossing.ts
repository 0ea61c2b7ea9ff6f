import type { EdgeProgram } from './edgeProgram.ts';
import { hasBit } from './eventBits.ts';
import type { EventDoubles } from './eventDoubles.ts';
import { runHours } from './hourProfile.ts';
import type { KernelDriver } from './kernel/kernelDriver.ts';
import { runNets, splitNet } from './netSums.ts';
import { runNewest } from './newestNumbers.ts';
import { runOldest } from './oldestNumbers.ts';
import { doublesFromOf, refundsFromOf, type FeaturePlan } from './plan.ts';
import { refundedMinor } from './refundWords.ts';
import type { ValueShares } from './valueShares.ts';

/** Integers of one step of a top share. */
const SHARE_STEP = 5;

/** The aggregates that an event reaches as it crosses edges, and its numbers (eventNumbers.ts). */
export interface CrossedState {
  readonly plan: FeaturePlan;
  readonly driver: KernelDriver;
  readonly shares: readonly ValueShares[];
  readonly doubles: EventDoubles;
  readonly event: Float64Array;
}

/** Has events cross edges: runs an edge's program on the rows of an event's keys. */
export class EdgeCrossing {
  readonly #plan: FeaturePlan;
  readonly #driver: KernelDriver;
  readonly #shares: readonly ValueShares[];
  readonly #doubles: EventDoubles;
  /** Where the words of an event's numbers start after its first. */
  readonly #doublesFrom: number;
  readonly #event: Float64Array;
  /** By predicate, 1 if it holds for the event that crosses. */
  readonly #holds: Uint8Array;
  /** Where among an event's words it stands what was refunded of it. */
  readonly #refundAt: number;

  constructor({ plan, driver, shares, doubles, event }: CrossedState) {
    this.#plan = plan;
    this.#driver = driver;
    this.#shares = shares;
    this.#doubles = doubles;
    this.#doublesFrom = doublesFromOf(plan);
    this.#event = event;
    this.#holds = new Uint8Array(plan.predicates.length);
    this.#refundAt = refundsFromOf(plan);
  }

  /** Runs the program on the event at hand, whose words start at `at`, and of which these facts are known. */
  run(edge: EdgeProgram, words: Int32Array, at: number, facts: number): void {
    this.#driver.takeEvent(words, at);
    this.#driver.calls.crossHanded(edge.program, facts);
    if (edge.groups.length > 0) this.runOthers(edge, words, at, facts);
  }

  /** The same of the steps that the kernel has not. */
  runOthers(edge: EdgeProgram, words: Int32Array, at: number, facts: number): void {
    const event = this.#event;
    const holds = this.#holds;
    if (edge.usesNets) splitNet(event, refundedMinor(words, at + this.#refundAt), facts);
    this.#evaluate(edge.predicates, words, at + this.#plan.columns.length, facts);
    const { groups } = edge;
    for (let index = 0; index < groups.length; index++) {
      const group = groups[index]!;
      const slot = words[at + group.column]!;
      if (slot < 0) continue;
      const { kernel } = group.table;
      const row = kernel.doubles;
      const base = kernel.rowBase(slot);
      if (edge.usesNets) runNets(group.nets, row, base, holds, event);
      const { shares, hours, newest, oldest } = group;
      if (shares.length > 0) this.#countShares(shares, slot, words, at, row, base);
      runHours(hours, row, base, holds, event);
      const doublesAt = at + this.#doublesFrom;
      if (newest.length > 0) runNewest(newest, row, base, holds, words, doublesAt, event, this.#doubles);
      if (oldest.length > 0) runOldest(group, kernel, base, holds, words, doublesAt, event, this.#doubles);
    }
  }

  #countShares(steps: Int32Array, slot: number, words: Int32Array, at: number, row: Float64Array, base: number): void {
    for (let step = 0; step < steps.length; step += SHARE_STEP) {
      const value = words[at + steps[step + 3]!]!;
      if (value < 0 || this.#holds[steps[step]!] === 0) continue;
      this.#shares[steps[step + 2]!]!.count(slot, value, steps[step + 1]!, row, base + steps[step + 4]!);
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
