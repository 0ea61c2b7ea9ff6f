import type { EntityName } from '../operators/definitions.ts';
import type { AcceptAnswer, Sender } from './gateway.ts';

/** What people who snooze rules can ask and do. A card number given as an id is known by its token only. */
export interface SnoozeKeeping {
  /** Undefined: `after` is not the `next` of a page. */
  page(after: string | null, limit: number): SnoozePage | undefined;
  /** Resolves once it is in the ledger and the engine has taken it, or 5 s later. */
  add(snooze: SnoozeRequest, sender: Sender): Promise<AcceptAnswer>;
  end(snooze: SnoozeEnd, sender: Sender): Promise<AcceptAnswer>;
}

/** A rule that does not count for payments of one account, card and so on. */
export interface SnoozeEnd {
  readonly rule: string;
  readonly entity: EntityName;
  /** Of the account, card and so on. */
  readonly id: string;
  readonly reason: string;
}

export interface SnoozeRequest extends SnoozeEnd {
  readonly expiresAtMs: number;
}

export interface Snooze extends SnoozeRequest {
  readonly author: string;
  readonly sinceMs: number;
}

export interface SnoozePage {
  readonly snoozes: readonly Snooze[];
  /** Give it as `after` for the next page; null: this is the last. */
  readonly next: string | null;
}
