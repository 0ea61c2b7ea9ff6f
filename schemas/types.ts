// Generated from the *.avsc files by generate.ts. Do not edit.

export type DeadLetterSubject = 'transaction' | 'outcome' | 'label' | 'listChange' | 'other';

/** Input that was meant as a payment, outcome or label and could not be accepted. */
export interface DeadLetter {
  /** When it was received. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** What it was meant to be. */
  readonly subject: DeadLetterSubject;
  /** Stable error code, e.g. SLUICE_INPUT_INVALID. */
  readonly code: string;
  /** The field at fault. */
  readonly field: null | string;
  /** What was wrong. */
  readonly message: string;
  /** The payment's id, where it could be read. */
  readonly transactionId: null | string;
  /** Content type as received. */
  readonly contentType: string;
  /** The input, card numbers masked, cut at 8 KiB; binary input as base64. */
  readonly body: string;
  /** Whether body was cut. */
  readonly truncated: boolean;
}

export type DecisionStatus = 'new' | 'duplicate' | 'conflict';

export type Verdict = 'approve' | 'challenge' | 'review' | 'decline';

export type DecisionMode = 'full' | 'noModel' | 'rulesOnly' | 'fallback';

export type RiskLevel = 'normal' | 'elevated' | 'lockdown';

/** A reason in words. */
export interface ReasonText {
  /** English. */
  readonly en: string;
  /** Chinese. */
  readonly zh: string;
}

/** One reason of a verdict. */
export interface Reason {
  /** Stable reason code, e.g. VELOCITY_CARD, MODEL, BLOCK_LIST. */
  readonly code: string;
  /** Rule id, for a reason by a rule. */
  readonly rule: null | string;
  /** Rule version. */
  readonly version: null | number;
  /** List name, for a reason by a list. */
  readonly list: null | string;
  /** Feature name, for a reason by the model. */
  readonly feature: null | string;
  /** What the feature adds to the model's margin (by occlusion: to its probability); see the decision's explanation. */
  readonly contribution: null | number;
  /** The feature's value. */
  readonly value: null | number;
  /** In words. */
  readonly text: null | ReasonText;
}

/** What a payment would have got that was let through to measure how good declines are. */
export interface LetThrough {
  /** The verdict it would have got. */
  readonly verdict: Verdict;
  /** The score it would have got, 0 to 1000. */
  readonly score: number;
  /** Why, most severe first. */
  readonly reasons: readonly Reason[];
  /** Percent of such payments that are let through: each stands for 100 / percent of them. */
  readonly percent: number;
}

export type RuleMode = 'live' | 'shadow' | 'off';

/** A rule that fired. */
export interface RuleFiring {
  /** Rule id. */
  readonly rule: string;
  /** Rule version. */
  readonly version: number;
  /** live counts; shadow is only recorded. */
  readonly mode: RuleMode;
  /** Does not count: the rule is snoozed for one of the payment's entities. */
  readonly snoozed: boolean;
}

/** What a rule group adds. */
export interface GroupScore {
  /** The group's id. */
  readonly group: string;
  /** Its rules' scores, weighted, at most its cap. */
  readonly points: number;
}

/** A rule that failed to evaluate. */
export interface RuleError {
  /** Rule id. */
  readonly rule: string;
  /** Rule version. */
  readonly version: number;
  /** What failed. */
  readonly message: string;
}

export type ExplanationMethod = 'treeShap' | 'occlusion';

/** How the model came to its margin. */
export interface Explanation {
  /** treeShap: exact Shapley values of the model's trees; occlusion: what the probability loses when a feature is put to its baseline. */
  readonly method: ExplanationMethod;
  /** The margin's mean over the training data, by treeShap: log-odds, where the model ends in the logistic function. */
  readonly mean: null | number;
  /** By treeShap: what each of the model's inputs, in order, adds to the margin; with the mean they add up to it. */
  readonly contributions: readonly number[];
}

/** A verdict and everything that led to it. A pure function of the ledger up to ledgerOffset. */
export interface Decision {
  /** Offset of the payment's ledger record. */
  readonly ledgerOffset: number;
  /** The gateway's own id of the payment. Retries carry the same id. */
  readonly transactionId: string;
  /** duplicate and conflict: the id was seen before, with the same or other content; see originalOffset. */
  readonly status: DecisionStatus;
  /** Offset of the first payment with this id. */
  readonly originalOffset: null | number;
  /** SHA-256 of the ledger's Transaction datum (Avro binary, hexadecimal, first 32 digits): tells a retry from other content under the same id. */
  readonly contentHash: string;
  /** The engine's time at this payment: greatest event time so far. */
  readonly engineTimeMs: number;
  /** The payment's time was beyond the declared lateness bound. */
  readonly late: boolean;
  /** The verdict. */
  readonly verdict: Verdict;
  /** 0 to 1000. */
  readonly score: number;
  /** The model's probability of fraud; null when no model scored. */
  readonly modelScore: null | number;
  /** Step of the degradation ladder. */
  readonly mode: DecisionMode;
  /** Whose thresholds applied to the model's score. */
  readonly riskLevel: RiskLevel;
  /** What was left out or failed: model, a rule's id. */
  readonly degraded: readonly string[];
  /** Why, most severe first. */
  readonly reasons: readonly Reason[];
  /** Of a payment that is approved only to measure declines; verdict, score and reasons are then those of an approval. */
  readonly letThrough: null | LetThrough;
  /** Every rule that fired, live and shadow. */
  readonly rulesFired: readonly RuleFiring[];
  /** Points of all rule groups together, 0 to 1000; held against the thresholds as the model's score is. */
  readonly rulePoints: number;
  /** Every rule group of which a rule counted. */
  readonly groupScores: readonly GroupScore[];
  /** Every rule that failed. */
  readonly ruleErrors: readonly RuleError[];
  /** Version of the rule set. */
  readonly ruleSet: string;
  /** Hash of the rule set's content. */
  readonly ruleSetSha256: string;
  /** Model id. */
  readonly modelId: null | string;
  /** Model version. */
  readonly modelVersion: null | string;
  /** Hash of the model file. */
  readonly modelSha256: null | string;
  /** Hash of the feature catalogue. */
  readonly catalogueSha256: string;
  /** Of a payment that is not approved, or let through, and that the model scored. */
  readonly explanation: null | Explanation;
  /** Feature values in the catalogue's order; NaN where undefined. */
  readonly features: readonly number[];
}

/** The verdict ingest gave when the deadline came before the engine's answer. */
export interface Fallback {
  /** The gateway's own id of the payment. Retries carry the same id. */
  readonly transactionId: string;
  /** Ledger offset of the payment. */
  readonly transactionOffset: number;
  /** When it was given. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** The verdict given. */
  readonly verdict: Verdict;
  /** The deadline that passed, in milliseconds. */
  readonly deadlineMs: number;
}

export type TransactionType = 'purchase' | 'withdrawal' | 'transfer' | 'topUp' | 'refund' | 'reversal' | 'other';

export type Channel = 'card' | 'wallet' | 'bankTransfer' | 'qr' | 'other';

/** Either the card number, which ingest replaces by a token, or a token the gateway already holds. */
export interface GatewayCard {
  /** Primary account number, ISO/IEC 7812: 12 to 19 digits. Never stored. */
  readonly pan: null | string;
  /** The gateway's own token, where it keeps card numbers to itself. */
  readonly token: null | string;
  /** Issuer identification number, first 6 to 8 digits; needed only with a token. */
  readonly bin: null | string;
  /** Last four digits; needed only with a token. */
  readonly last4: null | string;
}

/** A payment as a gateway publishes it, over HTTP or Kafka. */
export interface GatewayTransaction {
  /** The gateway's own id of the payment. Retries carry the same id. */
  readonly transactionId: string;
  /** When the payment happened at the gateway. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** What moves the money. */
  readonly type: TransactionType;
  /** How it is paid. */
  readonly channel: Channel;
  /** Amount in the currency's minor units (ISO 4217 exponent). */
  readonly amountMinor: number;
  /** ISO 4217 alphabetic code. */
  readonly currency: string;
  /** The paying customer's account. */
  readonly account: null | string;
  /** The card, where one is used. */
  readonly card: null | GatewayCard;
  /** Device fingerprint. */
  readonly device: null | string;
  /** IPv4 or IPv6 address of the payer. */
  readonly ip: null | string;
  /** Merchant (card acceptor) id. */
  readonly merchant: null | string;
  /** ISO 18245 merchant category code. */
  readonly mcc: null | string;
  /** Terminal id. */
  readonly terminal: null | string;
  /** The receiving account of a transfer. */
  readonly payee: null | string;
  /** ISO 3166-1 alpha-2 country of the payment. */
  readonly country: null | string;
  /** How the payer was authenticated, e.g. password, otp, 3ds, biometric, pin. */
  readonly authMethods: readonly string[];
  /** For a refund or reversal: the payment it takes back. */
  readonly originalTransactionId: null | string;
  /** Further facts a deployment's features and rules may use. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export type LabelKind = 'fraud' | 'genuine';

export type LabelSource = 'chargeback' | 'review' | 'customerReport' | 'issuerReport' | 'simulation' | 'other';

/** What the payment turned out to be. */
export interface Label {
  /** The gateway's own id of the payment. Retries carry the same id. */
  readonly transactionId: string;
  /** Ledger offset of the payment; null when the payment is not known. */
  readonly transactionOffset: null | number;
  /** When the label became known. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** The truth, as far as it is known. */
  readonly label: LabelKind;
  /** Who says so. */
  readonly labelSource: LabelSource;
  /** Kind of fraud, e.g. cardTesting. */
  readonly fraudType: null | string;
}

export type RecordKind = 'transaction' | 'outcome' | 'label' | 'listChange' | 'ruleSetPublication' | 'modelPromotion' | 'posture' | 'fallback' | 'tick' | 'deadLetter';

/** The envelope of every ledger record. */
export interface LedgerRecord {
  /** What the payload is. */
  readonly kind: RecordKind;
  /** When ingest accepted it. Epoch milliseconds, UTC. Decides nothing. */
  readonly ingestTimeMs: number;
  /** Who sent it: an API key's id, import:NAME, sluice. */
  readonly source: string;
  /** The event in Avro single-object encoding. */
  readonly payload: Buffer;
}

export type ListAction = 'put' | 'delete';

/** Another entry of the same change. */
export interface FurtherEntry {
  /** As value above. */
  readonly value: string;
  /** When this entry ends by itself. Epoch milliseconds, UTC. */
  readonly expiresAtMs: null | number;
  /** Why; null: as the first entry. */
  readonly reason: null | string;
}

/** Entries put on or taken off a block, allow or watch list, all at one offset. */
export interface ListChange {
  /** When the change was made. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** The list's name, as declared in sluice.yaml. */
  readonly list: string;
  /** The entity's id: card token, account, device, IP address or block, BIN range, and so on. */
  readonly value: string;
  /** Put on the list, or taken off. */
  readonly action: ListAction;
  /** When the entry ends by itself. Epoch milliseconds, UTC. */
  readonly expiresAtMs: null | number;
  /** Who made the change. */
  readonly author: string;
  /** Why. */
  readonly reason: string;
  /** The entries of a bulk change beside the first one. */
  readonly further: readonly FurtherEntry[];
}

export type PromotionAction = 'promote' | 'rollback' | 'withdraw';

export type PromotionStep = 'apply' | 'propose' | 'approve' | 'reject';

/** What a model does from this offset on: score for all, for a share of accounts, or beside the others; or a step towards that. modelId null: none scores. */
export interface ModelPromotion {
  /** When it was promoted. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** The model's id. */
  readonly modelId: null | string;
  /** The model's version. */
  readonly version: string;
  /** SHA-256 of model.onnx, hexadecimal: the key of the model store. Empty without a model. */
  readonly sha256: string;
  /** model.json as promoted. */
  readonly metadata: string;
  /** promote and rollback: it takes the place that percent says; withdraw: it is no challenger any more. */
  readonly action: PromotionAction;
  /** Share of accounts whose verdicts it scores. 100: the champion; less: a challenger, whose scores of all other payments are only recorded. */
  readonly percent: number;
  /** Who made the change. */
  readonly author: string;
  /** Why. */
  readonly reason: string;
  /** apply: in force without a second person. propose: waits for one, who is to approve or reject it. */
  readonly step: PromotionStep;
  /** Ledger offset of the proposal that is approved or rejected. */
  readonly proposalOffset: null | number;
}

export type OutcomeKind = 'authorised' | 'declined' | 'captured' | 'cancelled' | 'settled' | 'authenticationPassed' | 'authenticationFailed' | 'other';

/** What the gateway or the issuer did with the payment after the verdict. */
export interface Outcome {
  /** The gateway's own id of the payment. Retries carry the same id. */
  readonly transactionId: string;
  /** Ledger offset of the payment; null when the payment is not known. */
  readonly transactionOffset: null | number;
  /** When it happened. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** What happened. */
  readonly outcome: OutcomeKind;
  /** ISO 8583 response code (data element 39) or the gateway's own. */
  readonly responseCode: null | string;
}

export type Degradation = 'full' | 'noModel' | 'rulesOnly';

/** Risk level and degradation from this offset on. */
export interface Posture {
  /** When it was set. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** Which thresholds apply. */
  readonly riskLevel: RiskLevel;
  /** What is left out of decisions. */
  readonly degradation: Degradation;
  /** When it returns to normal and full. Epoch milliseconds, UTC. */
  readonly expiresAtMs: null | number;
  /** Who made the change. */
  readonly author: string;
  /** Why. */
  readonly reason: string;
}

export type PublicationStep = 'publish' | 'propose' | 'approve' | 'reject';

/** A step of a configuration (feature catalogue, rules, lists and policy, whole) on its way into force. Published or approved it decides from this offset on, if what it replaces is in force until then. */
export interface RuleSetPublication {
  /** When it was published. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** The rule set's version, e.g. 2026-11.4. */
  readonly version: string;
  /** SHA-256 of content, hexadecimal. */
  readonly sha256: string;
  /** Canonical JSON of the configuration; empty where it is rejected. */
  readonly content: string;
  /** Who made the change. */
  readonly author: string;
  /** Why. */
  readonly reason: string;
  /** publish: in force without a second person. propose: waits for one, who is to approve or reject it. */
  readonly step: PublicationStep;
  /** SHA-256 of the configuration that it was made from: no effect where another is in force. Empty: whichever. */
  readonly replaces: string;
  /** Ledger offset of the proposal that is approved or rejected. */
  readonly proposalOffset: null | number;
}

/** Moves the engine's time on when no payment does. */
export interface Tick {
  /** The time it is. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
}

/** A card without its number. */
export interface Card {
  /** HMAC-SHA256 of the card number under the deployment's key, or the gateway's own token. */
  readonly token: string;
  /** Issuer identification number. */
  readonly bin: null | string;
  /** Last four digits. */
  readonly last4: null | string;
}

/** A payment as the ledger keeps it: the card number replaced by a token. */
export interface Transaction {
  /** The gateway's own id of the payment. Retries carry the same id. */
  readonly transactionId: string;
  /** When the payment happened at the gateway. Epoch milliseconds, UTC. */
  readonly eventTimeMs: number;
  /** What moves the money. */
  readonly type: TransactionType;
  /** How it is paid. */
  readonly channel: Channel;
  /** Amount in the currency's minor units (ISO 4217 exponent). */
  readonly amountMinor: number;
  /** ISO 4217 alphabetic code. */
  readonly currency: string;
  /** The paying customer's account. */
  readonly account: null | string;
  /** The card, where one is used. */
  readonly card: null | Card;
  /** Device fingerprint. */
  readonly device: null | string;
  /** IPv4 or IPv6 address of the payer. */
  readonly ip: null | string;
  /** Merchant (card acceptor) id. */
  readonly merchant: null | string;
  /** ISO 18245 merchant category code. */
  readonly mcc: null | string;
  /** Terminal id. */
  readonly terminal: null | string;
  /** The receiving account of a transfer. */
  readonly payee: null | string;
  /** ISO 3166-1 alpha-2 country of the payment. */
  readonly country: null | string;
  /** How the payer was authenticated, e.g. password, otp, 3ds, biometric, pin. */
  readonly authMethods: readonly string[];
  /** For a refund or reversal: the payment it takes back. */
  readonly originalTransactionId: null | string;
  /** Further facts a deployment's features and rules may use. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}
