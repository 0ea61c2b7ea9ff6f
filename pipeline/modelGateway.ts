import type { PromotionStep } from '../schemas/types.ts';
import type { Refusal } from './gateway.ts';

/** What a model does: the champion scores all accounts that no challenger scores; the others only beside it. */
export type ModelRole = 'champion' | 'challenger' | 'none';

export interface ModelSummary {
  readonly id: string;
  readonly version: string;
  readonly sha256: string;
  readonly role: ModelRole;
  /** Accounts whose verdicts it scores; of the champion, those that it shares with nobody. */
  readonly percent: number;
  readonly author: string;
  /** When a record first named it. */
  readonly sinceMs: number;
}

export interface ModelDescription extends ModelSummary {
  /** model.json as registered. */
  readonly metadata: string;
  /** What its reasons are made by: treeShap, or occlusion and why. Null where the file is missing. */
  readonly reasonsBy: string | null;
}

export interface ModelChangeLine {
  readonly ledgerOffset: number;
  readonly timeMs: number;
  readonly action: 'promote' | 'rollback' | 'withdraw';
  /** apply, approve: in force from its offset on. propose, reject: nothing changed by it. */
  readonly step: PromotionStep;
  readonly id: string | null;
  readonly version: string;
  readonly percent: number;
  readonly author: string;
  readonly reason: string;
}

export interface NewModel {
  /** The text of model.json. */
  readonly metadata: string;
  readonly onnx: Uint8Array;
  readonly reason: string;
}

export interface ModelChangeRequest {
  readonly id: string;
  readonly version: string;
  /** 100: the champion; 1 to 99: scores that share of accounts; 0: only beside the champion. */
  readonly percent: number;
  readonly reason: string;
}

export type ModelAnswer =
  | {
      readonly kind: 'done';
      readonly ledgerOffset: number;
      /** proposed: it waits for a second person, who calls it by its offset. rejected: nothing changed. */
      readonly standing: 'inForce' | 'proposed' | 'rejected';
      readonly model: ModelSummary;
    }
  /** invalid: the request or the package is wrong; unknown: no such package; conflict: not as things are now. */
  | { readonly kind: 'invalid' | 'unknown' | 'conflict'; readonly refusal: Refusal }
  | { readonly kind: 'unavailable'; readonly refusal: Refusal; readonly retryAfterSeconds: number };

/** What can be asked of a running Sluice about its models, whatever the transport. */
export interface ModelGateway {
  list(): readonly ModelSummary[];
  describe(id: string, version: string): Promise<ModelDescription | undefined>;
  /** The newest first; bounded: history's model_promotions has all. */
  changes(): readonly ModelChangeLine[];
  /** Takes a package in, as a challenger that scores no verdict. */
  add(model: NewModel, author: string): Promise<ModelAnswer>;
  promote(change: ModelChangeRequest, author: string): Promise<ModelAnswer>;
  /** Ends a challenger. */
  withdraw(change: Omit<ModelChangeRequest, 'percent'>, author: string): Promise<ModelAnswer>;
  /** Takes back a challenger's share; where there is none, the champion before this one returns. */
  rollback(reason: string, author: string): Promise<ModelAnswer>;
  /** What waits for a second person, oldest first. */
  proposals(): readonly ModelChangeLine[];
  /** Puts a proposal into force, by somebody else than its author, or ends it. */
  answer(proposal: ModelProposalAnswer, author: string): Promise<ModelAnswer>;
}

export interface ModelProposalAnswer {
  readonly ledgerOffset: number;
  readonly answer: 'approve' | 'reject';
  readonly reason: string;
}
