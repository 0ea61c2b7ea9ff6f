import type {
  ModelAnswer,
  ModelChangeLine,
  ModelChangeRequest,
  ModelDescription,
  ModelGateway,
  ModelProposalAnswer,
  ModelSummary,
  NewModel,
} from '../../../pipeline/modelGateway.ts';

const CHAMPION: ModelSummary = {
  id: 'card-fraud',
  version: '7',
  sha256: 'a'.repeat(64),
  role: 'champion',
  percent: 100,
  author: 'deployment',
  sinceMs: 1_767_225_600_000,
};

/** One champion; takes any change of it. */
export class FakeModels implements ModelGateway {
  list(): readonly ModelSummary[] {
    return [CHAMPION];
  }

  describe(id: string, version: string): Promise<ModelDescription | undefined> {
    const isKnown = id === CHAMPION.id && version === CHAMPION.version;
    return Promise.resolve(isKnown ? { ...CHAMPION, metadata: '{}', reasonsBy: 'treeShap' } : undefined);
  }

  changes(): readonly ModelChangeLine[] {
    const { id, version, author, sinceMs: timeMs } = CHAMPION;
    return [
      { ledgerOffset: 1, timeMs, action: 'promote', step: 'apply', id, version, percent: 100, author, reason: '' },
    ];
  }

  add(model: NewModel): Promise<ModelAnswer> {
    const isModel = model.onnx.length > 0;
    return isModel ? this.#done() : this.#refused('invalid', 'SLUICE_MODEL_UNREADABLE');
  }

  promote({ version }: ModelChangeRequest): Promise<ModelAnswer> {
    return version === CHAMPION.version ? this.#done() : this.#refused('unknown', 'SLUICE_MODEL_UNKNOWN');
  }

  withdraw(): Promise<ModelAnswer> {
    return this.#refused('conflict', 'SLUICE_MODEL_CHAMPION');
  }

  rollback(): Promise<ModelAnswer> {
    return this.#done();
  }

  proposals(): readonly ModelChangeLine[] {
    return this.changes().map((change) => ({ ...change, step: 'propose' }));
  }

  answer({ ledgerOffset }: ModelProposalAnswer): Promise<ModelAnswer> {
    return ledgerOffset === 1 ? this.#done() : this.#refused('unknown', 'SLUICE_PROPOSAL_UNKNOWN');
  }

  #done(): Promise<ModelAnswer> {
    return Promise.resolve({ kind: 'done', ledgerOffset: 3, standing: 'inForce', model: CHAMPION });
  }

  #refused(kind: 'invalid' | 'unknown' | 'conflict', code: string): Promise<ModelAnswer> {
    return Promise.resolve({ kind, refusal: { code, field: null, message: 'as the test wants it' } });
  }
}
