import { setImmediate } from 'node:timers/promises';
import { parseConfiguration } from '../operators/configuration.ts';
import type {
  ConfigurationDefinition,
  LocalizedText,
  RuleDefinition,
  RuleGroupDefinition,
} from '../operators/definitions.ts';
import { codecs } from '../schemas/codec.ts';
import { decodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import type {
  Decision,
  GroupScore,
  ModelPromotion,
  RuleFiring,
  RuleSetPublication,
  Transaction,
} from '../schemas/types.ts';
import { ChainCheck } from './chain/chainCheck.ts';
import { CHAIN_START, decodeSeal, type Seal } from './chain/seal.ts';
import type { ModelRoster } from './engine/modelRoster.ts';
import type { PublicationLog } from './engine/publicationLog.ts';
import type { DecisionStore, Ledger } from './ports.ts';

/** Everything that a decision came from, in one piece: what explains it years later. */
export interface Certificate {
  readonly transaction: Transaction;
  readonly ingestTimeMs: number;
  readonly source: string;
  readonly decision: Decision;
  /** Every feature that the decision had, with its words and what it added to the model's margin. */
  readonly features: readonly FeatureLine[];
  readonly rulesFired: readonly RuleLine[];
  readonly ruleGroups: readonly RuleGroupLine[];
  /** What was in force; null: the ledger does not hold it, which is a fault of the ledger. */
  readonly publication: InForce<
    Pick<RuleSetPublication, 'eventTimeMs' | 'version' | 'sha256' | 'author' | 'reason'>
  > | null;
  /** Null without a model, or when the ledger does not hold it. */
  readonly promotion: InForce<Omit<ModelPromotion, 'metadata'>> | null;
  /** Null: older than the chain. */
  readonly seal: CertifiedSeal | null;
}

export interface FeatureLine {
  readonly name: string;
  /** Null: undefined at this payment. */
  readonly value: number | null;
  readonly contribution: number | null;
  readonly text: LocalizedText | null;
}

/** A rule that fired, as it was written then. */
export interface RuleLine extends RuleFiring {
  /** Whether the verdict's reasons name it; shadow rules never count, and a live one may be outdone. */
  readonly isReason: boolean;
  readonly definition: Omit<RuleDefinition, 'examples'> | null;
}

/** A rule group of which a rule counted, as it was declared then. */
export interface RuleGroupLine extends GroupScore {
  readonly definition: RuleGroupDefinition | null;
}

export interface InForce<Event> {
  readonly ledgerOffset: number;
  readonly event: Event;
}

export interface CertifiedSeal extends Seal {
  /** The chain's hash at the record before. */
  readonly before: string;
  /** Whether record and decision still are what was sealed. */
  readonly isIntact: boolean;
}

/** By what a running engine remembers of them: the newest thousand steps, the newest two hundred changes of models. */
export function knownToEngine(publications: PublicationLog, models: ModelRoster): KnownChanges {
  return {
    publicationOffset: (sha256, beforeOffset) =>
      publications.entries.findLast(
        (entry) => entry.effect === 'inForce' && entry.sha256 === sha256 && entry.ledgerOffset < beforeOffset,
      )?.ledgerOffset ?? null,
    promotionOffset: (modelSha256, beforeOffset) =>
      models.changes.find(
        ({ ledgerOffset, promotion }) =>
          ledgerOffset < beforeOffset && promotion.sha256 === modelSha256 && putsIntoForce(promotion),
      )?.ledgerOffset ?? null,
  };
}

export interface CertificateStores {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly decisions: Pick<DecisionStore, 'find' | 'seals'>;
}

/** Where in the ledger what was in force was put into force; null: the one who knows has forgotten, or it was never so. */
export interface KnownChanges {
  publicationOffset(sha256: string, beforeOffset: number): number | null;
  promotionOffset(modelSha256: string, beforeOffset: number): number | null;
}

/**
 * The certificate of the first decision on a payment; undefined when there is none. What `known` does not know is looked for in the
 * ledger, backwards from the payment, with `onProgress` for the records looked at.
 */
export async function certify(
  stores: CertificateStores,
  transactionId: string,
  known: KnownChanges | null,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<Certificate | undefined> {
  const stored = await stores.decisions.find(transactionId);
  if (stored === undefined) return undefined;
  const decoded = codecs.decision.tryDecode(stored);
  if (!decoded.ok)
    throw new Error(
      `SLUICE_DECISION_UNREADABLE: the stored decision on ${transactionId} is damaged; run sluice verify`,
    );
  const decision = decoded.value;
  const { ledgerOffset } = decision;
  const [row] = await stores.ledger.read(ledgerOffset, 1);
  const record = row === undefined ? undefined : decodeLedgerRecord(row.value);
  if (row === undefined || record?.kind !== 'transaction')
    throw new Error(`SLUICE_LEDGER_CORRUPT: the ledger has no payment at offset ${ledgerOffset}; run sluice verify`);
  const { publication, promotion } =
    (known === null ? null : await remembered(stores.ledger, decision, known)) ??
    (await inForce(stores.ledger, decision, onProgress));
  const parsed = publication === null ? null : parseConfiguration(publication.event.content);
  const definition = parsed?.ok === true ? parsed.value : null;
  return {
    transaction: record.event,
    ingestTimeMs: record.ingestTimeMs,
    source: record.source,
    decision,
    features: featureLines(decision, definition),
    rulesFired: decision.rulesFired.map((firing) => ruleLine(firing, decision, definition)),
    ruleGroups: decision.groupScores.map((score) => ({
      ...score,
      definition: definition?.policy.ruleGroups?.find(({ id }) => id === score.group) ?? null,
    })),
    publication: withoutContent(publication),
    promotion: withoutMetadata(promotion),
    seal: await certifiedSeal(stores, ledgerOffset, row.value, stored),
  };
}

interface FoundInForce {
  readonly publication: InForce<RuleSetPublication> | null;
  readonly promotion: InForce<ModelPromotion> | null;
}

const READ_RECORDS = 1024;

/** By what a running engine remembers; null where it does not remember all of it. */
async function remembered(
  ledger: CertificateStores['ledger'],
  { ledgerOffset, ruleSetSha256, modelSha256 }: Decision,
  known: KnownChanges,
): Promise<FoundInForce | null> {
  const publicationOffset = known.publicationOffset(ruleSetSha256, ledgerOffset);
  const promotionOffset = modelSha256 === null ? null : known.promotionOffset(modelSha256, ledgerOffset);
  if (publicationOffset === null || (modelSha256 !== null && promotionOffset === null)) return null;
  const publication = await recordAt(ledger, publicationOffset);
  const promotion = promotionOffset === null ? null : await recordAt(ledger, promotionOffset);
  if (publication?.kind !== 'ruleSetPublication') return null;
  if (promotion !== null && promotion.kind !== 'modelPromotion') return null;
  return {
    publication: { ledgerOffset: publicationOffset, event: publication.event },
    promotion:
      promotionOffset === null || promotion === null ? null : { ledgerOffset: promotionOffset, event: promotion.event },
  };
}

async function recordAt(
  ledger: CertificateStores['ledger'],
  offset: number,
): Promise<ReturnType<typeof decodeLedgerRecord> | null> {
  const [row] = await ledger.read(offset, 1);
  return row?.offset === offset ? decodeLedgerRecord(row.value) : null;
}

/** The newest publication and promotion before the decision that have the hashes it names. */
async function inForce(
  ledger: CertificateStores['ledger'],
  { ledgerOffset, ruleSetSha256, modelSha256 }: Decision,
  onProgress: (done: number, total: number) => void,
): Promise<FoundInForce> {
  let publication: FoundInForce['publication'] = null;
  let promotion: FoundInForce['promotion'] = null;
  for (let to = ledgerOffset; to > 0; to = Math.max(0, to - READ_RECORDS)) {
    const from = Math.max(0, to - READ_RECORDS);
    for (const { offset, value } of (await ledger.read(from, to - from)).toReversed()) {
      const { kind } = codecs.ledgerRecord.decode(value);
      if (kind !== 'ruleSetPublication' && kind !== 'modelPromotion') continue;
      const record = decodeLedgerRecord(value);
      if (record.kind === 'ruleSetPublication' && record.event.sha256 === ruleSetSha256)
        publication ??= { ledgerOffset: offset, event: record.event };
      if (record.kind === 'modelPromotion' && record.event.sha256 === modelSha256 && putsIntoForce(record.event))
        promotion ??= { ledgerOffset: offset, event: record.event };
    }
    if (publication !== null && (promotion !== null || modelSha256 === null)) break;
    onProgress(ledgerOffset - from, ledgerOffset);
    // In a running Sluice payments have their turn in between.
    await setImmediate();
  }
  return { publication, promotion };
}

function putsIntoForce({ percent, step }: ModelPromotion): boolean {
  return percent > 0 && (step === 'apply' || step === 'approve');
}

function withoutContent(found: FoundInForce['publication']): Certificate['publication'] {
  if (found === null) return null;
  const { eventTimeMs, version, sha256, author, reason } = found.event;
  return { ledgerOffset: found.ledgerOffset, event: { eventTimeMs, version, sha256, author, reason } };
}

function withoutMetadata(found: FoundInForce['promotion']): Certificate['promotion'] {
  if (found === null) return null;
  const { metadata: _, ...event } = found.event;
  return { ledgerOffset: found.ledgerOffset, event };
}

/** A model's inputs are the catalogue's first features, so contributions and values have one order. */
function featureLines(
  { features, explanation }: Decision,
  definition: ConfigurationDefinition | null,
): readonly FeatureLine[] {
  return features.map((value, index) => {
    const feature = definition?.features[index];
    return {
      name: feature?.name ?? `feature ${index + 1}`,
      value: Number.isNaN(value) ? null : value,
      contribution: explanation?.contributions[index] ?? null,
      text: feature?.text ?? null,
    };
  });
}

function ruleLine(
  firing: RuleFiring,
  { reasons, letThrough }: Decision,
  definition: ConfigurationDefinition | null,
): RuleLine {
  const found = definition?.rules.find(({ id, version }) => id === firing.rule && version === firing.version);
  const isReason = (letThrough?.reasons ?? reasons).some(
    ({ rule, version }) => rule === firing.rule && version === firing.version,
  );
  if (found === undefined) return { ...firing, isReason, definition: null };
  const { examples: _, ...rest } = found;
  return { ...firing, isReason, definition: rest };
}

async function certifiedSeal(
  { decisions }: CertificateStores,
  ledgerOffset: number,
  record: Buffer,
  decision: Buffer,
): Promise<CertifiedSeal | null> {
  const seals = await decisions.seals(Math.max(0, ledgerOffset - 1), ledgerOffset + 1);
  const stored = seals.find((seal) => seal.ledgerOffset === ledgerOffset);
  const seal = stored === undefined ? undefined : decodeSeal(ledgerOffset, stored.value);
  if (stored === undefined || seal === undefined) return null;
  const previous = seals.find((each) => each.ledgerOffset === ledgerOffset - 1);
  const before = previous === undefined ? CHAIN_START : decodeSeal(ledgerOffset - 1, previous.value)?.chainSha256;
  const verdict = new ChainCheck(before).check(ledgerOffset, record, decision, stored.value);
  const isIntact = verdict.record === 'sealed' && verdict.decision === 'sealed' && verdict.seal === null;
  return { ...seal, before: before ?? CHAIN_START, isIntact };
}
