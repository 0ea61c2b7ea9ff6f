import type {
  DeadLetter,
  Fallback,
  Label,
  ListChange,
  ModelPromotion,
  Outcome,
  Posture,
  RuleSetPublication,
  Tick,
  Transaction,
} from './types.ts';

/** The payload of a ledger record, by its kind. */
export type LedgerEvent =
  | { readonly kind: 'transaction'; readonly event: Transaction }
  | { readonly kind: 'outcome'; readonly event: Outcome }
  | { readonly kind: 'label'; readonly event: Label }
  | { readonly kind: 'listChange'; readonly event: ListChange }
  | { readonly kind: 'ruleSetPublication'; readonly event: RuleSetPublication }
  | { readonly kind: 'modelPromotion'; readonly event: ModelPromotion }
  | { readonly kind: 'posture'; readonly event: Posture }
  | { readonly kind: 'fallback'; readonly event: Fallback }
  | { readonly kind: 'tick'; readonly event: Tick }
  | { readonly kind: 'deadLetter'; readonly event: DeadLetter };
