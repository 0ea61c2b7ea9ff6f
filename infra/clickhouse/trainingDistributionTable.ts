import { z } from 'zod';
import { modelMetadataSchema } from '../../models/modelPackage.ts';
import type { ModelPromotion } from '../../schemas/types.ts';
import { HistoryTable, schemaDoc } from './historyTable.ts';
import { Float64Column, Integer64Column } from './nativeColumn.ts';
import { ArrayColumn, LowCardinalityColumn } from './nativeTextColumn.ts';

/** What stands for the model's own probability among the features. */
export const SCORE = 'score';

const described = z.object({ trainingDistribution: modelMetadataSchema.shape.trainingDistribution });

/** What each model's features and score were like in training, by the record that promoted it: what drift is measured against. */
export class TrainingDistributionTable extends HistoryTable {
  readonly #modelId = this.add('model_id', new LowCardinalityColumn(), schemaDoc('ModelPromotion', 'modelId'));
  readonly #version = this.add('model_version', new LowCardinalityColumn(), schemaDoc('ModelPromotion', 'version'));
  readonly #feature = this.add(
    'feature',
    new LowCardinalityColumn(),
    `The feature; ${SCORE}: the model's probability.`,
  );
  readonly #rows = this.add('training_rows', new Integer64Column('UInt64'), 'Payments in training.');
  readonly #edges = this.add('edges', new ArrayColumn(new Float64Column()), 'Upper ends of the bins but the last.');
  readonly #shares = this.add(
    'shares',
    new ArrayColumn(new Float64Column()),
    'Share of training payments: those without a value, then those in each bin.',
  );

  constructor() {
    super(
      'training_distributions',
      'How features and score were distributed in training, for every promotion of a model that says it.',
      'ledger_offset, feature',
    );
  }

  push(ledgerOffset: number, { modelId, version, metadata }: ModelPromotion): void {
    const distribution = modelId === null ? undefined : distributionOf(metadata);
    if (distribution === undefined) return;
    for (const [feature, { edges, shares }] of [
      [SCORE, distribution.score] as const,
      ...Object.entries(distribution.features),
    ]) {
      this.ledgerOffset.push(ledgerOffset);
      this.#modelId.push(modelId ?? '');
      this.#version.push(version);
      this.#feature.push(feature);
      this.#rows.push(distribution.rows);
      for (const edge of edges) this.#edges.elements.push(edge);
      this.#edges.endRow();
      for (const share of shares) this.#shares.elements.push(share);
      this.#shares.endRow();
    }
  }
}

function distributionOf(metadata: string): z.infer<typeof described>['trainingDistribution'] {
  try {
    const parsed = described.safeParse(JSON.parse(metadata));
    return parsed.success ? parsed.data.trainingDistribution : undefined;
  } catch {
    return undefined;
  }
}
