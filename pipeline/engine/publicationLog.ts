import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../../operators/savedState.ts';
import { codecs } from '../../schemas/codec.ts';
import type { RuleSetPublication } from '../../schemas/types.ts';
import { loadRecord, saveRecord } from './savedRecords.ts';

/**
 * What came of a step. inForce: decides from its offset on, until the next. open: a proposal that waits. approved, rejected, stale:
 * a proposal that no longer does (stale: what it was made from is no longer in force). noted: the rejection of a proposal. The
 * others had no effect: baseGone (something else is in force than it replaces), notApproved (it needed a second person), ownProposal
 * (a person approved what is their own), noProposal (there is no such open proposal), tooMany (of them are open).
 */
export type PublicationEffect = (typeof EFFECTS)[number];

/** A step of a configuration into force. Its content is in the ledger, at its offset. */
export interface PublicationEntry {
  readonly ledgerOffset: number;
  readonly step: RuleSetPublication['step'];
  readonly effect: PublicationEffect;
  readonly version: string;
  readonly sha256: string;
  readonly replaces: string;
  readonly proposalOffset: number | null;
  readonly author: string;
  readonly reason: string;
  readonly eventTimeMs: number;
}

interface LoggedStep {
  /** Without its content. */
  readonly event: RuleSetPublication;
  readonly ledgerOffset: number;
  effect: PublicationEffect;
}

/** Steps remembered; of more, the oldest are in the ledger alone. What is in force and what is open is never forgotten. */
export const MAX_ENTRIES = 1_000;
export const MAX_OPEN_PROPOSALS = 50;

/**
 * Which configuration is in force, which are proposed, and how they came to be: the part of the engine that a publication must
 * pass. Two people who publish at the same time, on any two instances, have their order from the ledger: the second one's base is gone.
 */
export class PublicationLog implements SavedState {
  #entries: LoggedStep[] = [];
  #inForceOffset = -1;
  #inForceSha256 = '';
  /** Of the configuration in force: people, beside its author, who must agree to its replacement. */
  #approvals = 0;

  /** Oldest first. */
  get entries(): readonly PublicationEntry[] {
    return this.#entries.map(({ event, ledgerOffset, effect }) => {
      const { content: _, ...fields } = event;
      return { ...fields, ledgerOffset, effect };
    });
  }

  /** Offset from which what is in force is so; -1: nothing is. */
  get inForceOffset(): number {
    return this.#inForceOffset;
  }

  get approvals(): number {
    return this.#approvals;
  }

  entry(ledgerOffset: number): PublicationEntry | undefined {
    return this.entries.find((entry) => entry.ledgerOffset === ledgerOffset);
  }

  /** Whether the step puts its content into force; `tookEffect` must follow then. */
  apply(ledgerOffset: number, event: RuleSetPublication): boolean {
    const effect = this.#effectOf(event);
    if (effect === 'inForce') this.#close(event.proposalOffset, 'approved');
    if (effect === 'noted') this.#close(event.proposalOffset, 'rejected');
    this.#entries.push({ event: { ...event, content: '' }, ledgerOffset, effect });
    if (effect === 'inForce') {
      this.#inForceOffset = ledgerOffset;
      this.#inForceSha256 = event.sha256;
      for (const entry of this.#entries)
        if (entry.effect === 'open' && !this.#isBase(entry.event.replaces)) entry.effect = 'stale';
    }
    this.#forget();
    return effect === 'inForce';
  }

  tookEffect(approvals: number): void {
    this.#approvals = approvals;
  }

  save(output: StateOutput): void {
    output.number(this.#inForceOffset);
    output.text(this.#inForceSha256);
    output.number(this.#approvals);
    output.number(this.#entries.length);
    for (const { event, ledgerOffset, effect } of this.#entries) {
      output.number(ledgerOffset);
      output.number(EFFECTS.indexOf(effect));
      saveRecord(output, codecs.ruleSetPublication, event);
    }
  }

  load(input: StateInput): void {
    this.#inForceOffset = input.number();
    this.#inForceSha256 = input.text();
    this.#approvals = input.number();
    this.#entries = [];
    for (let left = input.number(); left > 0; left--) {
      const ledgerOffset = input.number();
      const effect = EFFECTS[input.number()];
      const event = loadRecord(input, codecs.ruleSetPublication);
      if (effect === undefined || event === null) throw new SavedStateError('a publication that there is not');
      this.#entries.push({ event, ledgerOffset, effect });
    }
  }

  #effectOf(event: RuleSetPublication): PublicationEffect {
    switch (event.step) {
      case 'publish':
        if (this.#approvals > 0) return 'notApproved';
        return this.#isBase(event.replaces) ? 'inForce' : 'baseGone';
      case 'propose':
        if (!this.#isBase(event.replaces)) return 'stale';
        return this.#openCount() < MAX_OPEN_PROPOSALS ? 'open' : 'tooMany';
      case 'approve': {
        const proposal = this.#open(event.proposalOffset);
        if (proposal?.event.sha256 !== event.sha256) return 'noProposal';
        return proposal.event.author === event.author ? 'ownProposal' : 'inForce';
      }
      case 'reject':
        return this.#open(event.proposalOffset) === undefined ? 'noProposal' : 'noted';
    }
  }

  #isBase(sha256: string): boolean {
    return sha256 === '' || sha256 === this.#inForceSha256;
  }

  /** An open proposal's base is in force: the others are closed when it goes. */
  #open(ledgerOffset: number | null): LoggedStep | undefined {
    return this.#entries.find((entry) => entry.effect === 'open' && entry.ledgerOffset === ledgerOffset);
  }

  #openCount(): number {
    return this.#entries.filter(({ effect }) => effect === 'open').length;
  }

  #close(ledgerOffset: number | null, effect: PublicationEffect): void {
    const proposal = this.#open(ledgerOffset);
    if (proposal !== undefined) proposal.effect = effect;
  }

  #forget(): void {
    if (this.#entries.length <= MAX_ENTRIES) return;
    const isKept = ({ effect, ledgerOffset }: LoggedStep): boolean =>
      effect === 'open' || ledgerOffset === this.#inForceOffset;
    const oldest = this.#entries.findIndex((entry) => !isKept(entry));
    this.#entries.splice(oldest, 1);
  }
}

/** In the order of their numbers in what is saved: add at the end only. */
const EFFECTS = [
  'inForce',
  'open',
  'approved',
  'rejected',
  'stale',
  'noted',
  'baseGone',
  'notApproved',
  'ownProposal',
  'noProposal',
  'tooMany',
] as const;
