import { catalogueMisfits } from '../models/catalogueFit.ts';
import { modelMetadataSchema, readModelMetadata, type ModelMetadata } from '../models/modelPackage.ts';
import { proveScoreBytes } from '../models/scoreBytes.ts';
import { ModelError, Scorer } from '../models/scorer.ts';
import type { TreesRead } from '../models/trees/readTrees.ts';
import type { CompiledConfiguration } from '../operators/configuration.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import type { PromotionStep } from '../schemas/types.ts';
import {
  MAX_CHALLENGERS,
  MAX_OPEN_PROMOTIONS,
  type KnownModel,
  type ModelChange,
  type ModelRoster,
} from './engine/modelRoster.ts';
import { maskCardNumbers } from './cardNumbers.ts';
import type {
  ModelAnswer,
  ModelChangeLine,
  ModelChangeRequest,
  ModelDescription,
  ModelGateway,
  ModelProposalAnswer,
  ModelSummary,
  NewModel,
} from './modelGateway.ts';
import { LedgerUnavailableError, type Clock, type ModelStore } from './ports.ts';
import { withDeadline } from './ingest/withDeadline.ts';
import { promotionRecord } from './promotionRecord.ts';

export interface ModelDeskServices {
  readonly models: ModelStore;
  readonly clock: Clock;
  append(event: LedgerEvent): Promise<number>;
  /** Resolves once the engine has taken the record at an offset. */
  taken(ledgerOffset: number): Promise<void>;
  roster(): ModelRoster;
  configuration(): CompiledConfiguration | null;
  /** People, beside its author, who must agree to a change of what decides. */
  approvals(): number;
  isReady(): boolean;
}

type Refused = Exclude<ModelAnswer, { readonly kind: 'done' }>;

/** What a record is to say, once it is sure that it may be said. */
interface Change {
  readonly metadata: ModelMetadata;
  readonly action: 'promote' | 'rollback' | 'withdraw';
  readonly percent: number;
  readonly reason: string;
  /** The proposal that it answers. */
  readonly answers?: { readonly step: 'approve' | 'reject'; readonly proposalOffset: number };
}

/** How long an answer waits for the engine to come to its record. */
const TAKEN_WITHIN_MS = 10_000;

/**
 * The only way in for changes of models: each is checked against what is in force, one after the other, and is then one ledger
 * record. A package is loaded and tried before its record is written, because an engine that cannot load it cannot go on.
 */
export class ModelDesk implements ModelGateway {
  readonly #services: ModelDeskServices;
  #last: Promise<unknown> = Promise.resolve();

  constructor(services: ModelDeskServices) {
    this.#services = services;
  }

  list(): readonly ModelSummary[] {
    const roster = this.#services.roster();
    return roster.known.map((model) => summaryOf(model, roster));
  }

  async describe(id: string, version: string): Promise<ModelDescription | undefined> {
    const roster = this.#services.roster();
    const model = roster.find(id, version);
    if (model === undefined) return undefined;
    const { sha256, metadata } = model.promotion;
    const onnx = await this.#services.models.get(sha256);
    const reasonsBy = onnx === undefined ? null : await reasonsOf(metadata, onnx);
    return { ...summaryOf(model, roster), metadata, reasonsBy };
  }

  changes(): readonly ModelChangeLine[] {
    return this.#services.roster().changes.map(lineOf);
  }

  proposals(): readonly ModelChangeLine[] {
    return this.#services.roster().proposals.map(lineOf);
  }

  answer({ ledgerOffset, answer, reason }: ModelProposalAnswer, author: string): Promise<ModelAnswer> {
    return this.#inTurn(author, async () => {
      const proposal = this.#services.roster().proposal(ledgerOffset);
      const model = this.#services.roster().find(proposal?.promotion.modelId ?? '', proposal?.promotion.version ?? '');
      if (proposal === undefined || model === undefined) {
        const message = `no change of a model waits as ${ledgerOffset}: it was answered, or other models score since; see sluice models proposals`;
        return { kind: 'unknown', refusal: { code: 'SLUICE_PROPOSAL_UNKNOWN', field: null, message } };
      }
      const { action, percent } = proposal.promotion;
      const answers = { step: answer, proposalOffset: ledgerOffset };
      if (answer === 'approve' && proposal.promotion.author === author)
        return conflict(
          'SLUICE_PROPOSAL_OWN',
          null,
          `it is ${author}'s own: somebody else must approve it, with a key of their own`,
        );
      if (answer === 'reject' || action === 'withdraw')
        return { metadata: metadataOf(model), action, percent, reason, answers };
      // Once more: its file may have gone since, or a catalogue come.
      const checked = await this.#promotion(model, action, percent, reason);
      return 'kind' in checked ? checked : { ...checked, answers };
    });
  }

  add(model: NewModel, author: string): Promise<ModelAnswer> {
    return this.#inTurn(author, async () => {
      const metadata = parseMetadata(model.metadata);
      if ('refusal' in metadata) return metadata;
      const refused = this.#newRefusal(metadata) ?? this.#misfit(metadata) ?? (await loadRefusal(metadata, model.onnx));
      if (refused !== null) return refused;
      await this.#services.models.put(metadata.sha256, model.onnx);
      return { metadata, action: 'promote', percent: 0, reason: model.reason };
    });
  }

  promote({ id, version, percent, reason }: ModelChangeRequest, author: string): Promise<ModelAnswer> {
    return this.#inTurn(author, async () => {
      const model = this.#services.roster().find(id, version);
      if (model === undefined) return this.#unknown(id, version);
      if (model.percent === percent)
        return conflict('SLUICE_MODEL_UNCHANGED', null, `${id}@${version} ${does(percent)} already`);
      return this.#promotion(model, 'promote', percent, reason);
    });
  }

  withdraw({ id, version, reason }: Omit<ModelChangeRequest, 'percent'>, author: string): Promise<ModelAnswer> {
    return this.#inTurn(author, () => {
      const model = this.#services.roster().find(id, version);
      if (model === undefined) return this.#unknown(id, version);
      if (model.percent === 100) return isChampion(id, version);
      if (model.percent === null)
        return conflict('SLUICE_MODEL_UNCHANGED', null, `${id}@${version} scores nothing already`);
      return { metadata: metadataOf(model), action: 'withdraw', percent: 0, reason };
    });
  }

  rollback(reason: string, author: string): Promise<ModelAnswer> {
    return this.#inTurn(author, () => {
      const { deciding, previousChampion } = this.#services.roster();
      if (deciding !== null) return { metadata: metadataOf(deciding), action: 'rollback', percent: 0, reason };
      if (previousChampion !== null) return this.#promotion(previousChampion, 'rollback', 100, reason);
      return conflict(
        'SLUICE_MODEL_NO_PREVIOUS',
        null,
        'there is nothing to go back to: no other model was champion before this one',
      );
    });
  }

  /** One after the other: each is checked against what the one before has left. */
  async #inTurn(author: string, check: () => Promise<Change | Refused> | Change | Refused): Promise<ModelAnswer> {
    const before = this.#last;
    const answer = before.then(() => this.#change(author, check));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #change(author: string, check: () => Promise<Change | Refused> | Change | Refused): Promise<ModelAnswer> {
    if (!this.#services.isReady()) return unavailable('SLUICE_NOT_READY', 'not ready: try again in a moment');
    const change = await check();
    if ('kind' in change) return change;
    const { metadata, action, percent } = change;
    const step: PromotionStep = change.answers?.step ?? (this.#needsApproval(change) ? 'propose' : 'apply');
    if (step === 'propose' && this.#services.roster().proposals.length >= MAX_OPEN_PROMOTIONS) {
      const message = `${MAX_OPEN_PROMOTIONS} changes of models wait already: have some approved or rejected first`;
      return conflict('SLUICE_PROPOSAL_COUNT', null, message);
    }
    const origin = {
      eventTimeMs: this.#services.clock(),
      author,
      reason: maskCardNumbers(change.reason),
      action,
      percent,
      step,
      proposalOffset: change.answers?.proposalOffset ?? null,
    };
    let ledgerOffset: number;
    try {
      ledgerOffset = await this.#services.append({ kind: 'modelPromotion', event: promotionRecord(metadata, origin) });
    } catch (error) {
      if (error instanceof LedgerUnavailableError) return unavailable(error.code, error.message);
      throw error;
    }
    await withDeadline(this.#services.taken(ledgerOffset), TAKEN_WITHIN_MS);
    const roster = this.#services.roster();
    const model = roster.find(metadata.id, metadata.version);
    if (model === undefined)
      return unavailable('SLUICE_NOT_READY', `it is at ledger offset ${ledgerOffset}, and not in force yet`);
    const standing = step === 'propose' ? 'proposed' : step === 'reject' ? 'rejected' : 'inForce';
    return { kind: 'done', ledgerOffset, standing, model: summaryOf(model, roster) };
  }

  /** What changes who scores verdicts; a challenger beside them needs nobody. */
  #needsApproval({ metadata, percent }: Change): boolean {
    if (this.#services.approvals() === 0) return false;
    const { champion, deciding } = this.#services.roster();
    const isScoring = [champion, deciding].some(
      (model) => model?.promotion.modelId === metadata.id && model.promotion.version === metadata.version,
    );
    return percent > 0 || isScoring;
  }

  async #promotion(
    model: KnownModel,
    action: 'promote' | 'rollback',
    percent: number,
    reason: string,
  ): Promise<Change | Refused> {
    const metadata = metadataOf(model);
    const { id, version } = metadata;
    if (model.percent === 100) return isChampion(id, version);
    const roster = this.#services.roster();
    const { deciding } = roster;
    if (percent > 0 && percent < 100 && deciding !== null && deciding !== model) {
      const other = metadataOf(deciding);
      const message = `${other.id}@${other.version} scores ${deciding.percent ?? 0}% of accounts: give it 0% first, one model at a time can have a share`;
      return conflict('SLUICE_MODEL_BUSY', 'percent', message);
    }
    const limited = percent < 100 ? this.#limitRefusal(model) : null;
    const misfit = limited ?? this.#misfit(metadata);
    if (misfit !== null) return misfit;
    const onnx = await this.#services.models.get(metadata.sha256);
    if (onnx === undefined) {
      const message = `the file of ${id}@${version} (SHA-256 ${metadata.sha256}) is not in the data folder's models/, or is damaged; put it back or register it again`;
      return conflict('SLUICE_MODEL_MISSING', null, message);
    }
    return (await loadRefusal(metadata, onnx)) ?? { metadata, action, percent, reason };
  }

  #newRefusal(metadata: ModelMetadata): Refused | null {
    const { id, version } = metadata;
    const known = this.#services.roster().find(id, version);
    if (known === undefined) return this.#limitRefusal(null);
    if (known.promotion.metadata !== JSON.stringify(metadata)) {
      const message = `${id}@${version} is known with other content: give the new package another version`;
      return conflict('SLUICE_MODEL_VERSION', 'version', message);
    }
    if (known.percent === null) return this.#limitRefusal(known);
    return conflict(
      'SLUICE_MODEL_UNCHANGED',
      null,
      `${id}@${version} is registered already and ${does(known.percent)}`,
    );
  }

  #limitRefusal(model: KnownModel | null): Refused | null {
    const { challengers } = this.#services.roster();
    if (challengers.length < MAX_CHALLENGERS || (model !== null && model.percent !== null)) return null;
    const names = challengers.map(({ promotion }) => `${promotion.modelId ?? ''}@${promotion.version}`).join(', ');
    return conflict(
      'SLUICE_MODEL_LIMIT',
      null,
      `there are ${MAX_CHALLENGERS} challengers, the most there can be: withdraw one of ${names}`,
    );
  }

  #misfit(metadata: ModelMetadata): Refused | null {
    const configuration = this.#services.configuration();
    if (configuration === null) return unavailable('SLUICE_NOT_READY', 'no rule set is in force yet');
    const [misfit] = catalogueMisfits(metadata, configuration.catalogue);
    return misfit === undefined ? null : invalid(misfit.code, placeOf(misfit.path), misfit.message);
  }

  #unknown(id: string, version: string): Refused {
    const known = this.#services
      .roster()
      .known.map(({ promotion }) => `${promotion.modelId ?? ''}@${promotion.version}`);
    const message = `no package ${id}@${version} is registered (${known.length === 0 ? 'none is' : `known: ${known.join(', ')}`}); register it with sluice models add FOLDER`;
    return { kind: 'unknown', refusal: { code: 'SLUICE_MODEL_UNKNOWN', field: null, message } };
  }
}

function summaryOf({ promotion, percent }: KnownModel, roster: ModelRoster): ModelSummary {
  const role = percent === null ? 'none' : percent === 100 ? 'champion' : 'challenger';
  const shared = role === 'champion' ? 100 - (roster.deciding?.percent ?? 0) : (percent ?? 0);
  const { modelId, version, sha256, author, eventTimeMs } = promotion;
  return { id: modelId ?? '', version, sha256, role, percent: shared, author, sinceMs: eventTimeMs };
}

function lineOf({ ledgerOffset, promotion }: ModelChange): ModelChangeLine {
  const { eventTimeMs: timeMs, modelId: id, action, step, version, percent, author, reason } = promotion;
  return { ledgerOffset, timeMs, action, step, id, version, percent, author, reason };
}

/** What was registered was parsed before. */
function metadataOf({ promotion }: KnownModel): ModelMetadata {
  return readModelMetadata(promotion.metadata);
}

function parseMetadata(text: string): ModelMetadata | Refused {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid('SLUICE_MODEL_METADATA', 'metadata', 'model.json is not well-formed JSON');
  }
  const parsed = modelMetadataSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return invalid(
    'SLUICE_MODEL_METADATA',
    placeOf(issue?.path ?? []),
    issue?.message ?? 'is not what model.json must be',
  );
}

/** Runs the package as the engine would. */
async function loadRefusal(metadata: ModelMetadata, onnx: Uint8Array): Promise<Refused | null> {
  let scorer: Scorer | null = null;
  try {
    scorer = await Scorer.load(metadata, onnx);
    await proveScoreBytes(scorer);
    return null;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return invalid(error.code, 'model', error.message);
  } finally {
    await scorer?.close();
  }
}

async function reasonsOf(metadata: string, onnx: Uint8Array): Promise<string> {
  const scorer = await Scorer.load(readModelMetadata(metadata), onnx);
  await scorer.close();
  return reasonsBy(scorer.trees);
}

function reasonsBy(trees: TreesRead): string {
  return trees.ok ? 'treeShap' : `occlusion, because ${trees.why}`;
}

function does(percent: number): string {
  if (percent === 100) return 'is the champion';
  return percent === 0 ? 'scores beside the champion' : `scores ${percent}% of accounts`;
}

function placeOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'metadata' : path.map(String).join('.');
}

function isChampion(id: string, version: string): Refused {
  const message = `${id}@${version} is the champion: promote another model in its place, or roll back`;
  return conflict('SLUICE_MODEL_CHAMPION', null, message);
}

function invalid(code: string, field: string | null, message: string): Refused {
  return { kind: 'invalid', refusal: { code, field, message } };
}

function conflict(code: string, field: string | null, message: string): Refused {
  return { kind: 'conflict', refusal: { code, field, message } };
}

function unavailable(code: string, message: string): Refused {
  return { kind: 'unavailable', refusal: { code, field: null, message }, retryAfterSeconds: 1 };
}
