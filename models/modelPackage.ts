import { z } from 'zod';
import { sha256OfFirst, type CompiledCatalogue } from '../operators/features/catalogue.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
const finite = z.number().refine(Number.isFinite, 'expected a finite number');

/** Upper ends of bins, the last of them open, and the share of rows in each; before them the share of undefined ones. */
const bins = z
  .strictObject({
    edges: z.array(finite).max(64),
    shares: z.array(z.number().min(0).max(1)).max(66),
  })
  .refine(({ edges, shares }) => shares.length === edges.length + 2, 'expected two shares more than edges');

/**
 * model.json: what a model file is, what it was trained on, and how its probability becomes a score.
 * `calibration` holds points [probability, score], both rising, from [0, 0] to [1, 1000]; between them the score is linear.
 * `trainingDistribution` is what features and probability were like in training, for drift.
 * `baselines` are the training medians of the features; `reasonFeatures` the features worth naming, most important first.
 */
export const modelMetadataSchema = z.strictObject({
  id: z.string().min(1).max(64),
  version: z.string().min(1).max(64),
  format: z.literal('onnx'),
  sha256,
  catalogueSha256: sha256,
  inputs: z.array(z.string().min(1).max(64)).min(1).max(1024),
  input: z.string().min(1),
  output: z.string().min(1),
  fraudColumn: z.int().min(0).max(1),
  calibration: z
    .array(z.tuple([z.number().min(0).max(1), z.number().min(0).max(1000)]))
    .min(2)
    .max(64)
    .refine(rises, 'expected points with rising probability and score, from [0, 0] to [1, 1000]'),
  baselines: z.record(z.string(), finite.nullable()),
  reasonFeatures: z.array(z.string()).max(32),
  trainingDistribution: z
    .strictObject({ rows: z.int().min(1), score: bins, features: z.record(z.string(), bins) })
    .optional(),
  trainedAt: z.string(),
  data: z.record(z.string(), z.unknown()),
  metrics: z.record(z.string(), z.unknown()),
  libraries: z.record(z.string(), z.string()),
});

export type ModelMetadata = z.infer<typeof modelMetadataSchema>;

/** Reads a model.json that was checked before, as ledger records have it. Throws SyntaxError or ZodError. */
export function readModelMetadata(json: string): ModelMetadata {
  return modelMetadataSchema.parse(JSON.parse(json));
}

function rises(points: readonly (readonly [number, number])[]): boolean {
  const first = points[0];
  const last = points[points.length - 1];
  if (first?.[0] !== 0 || first[1] !== 0 || last?.[0] !== 1 || last[1] !== 1000) return false;
  return points.every((point, index) => {
    const before = points[index - 1];
    return before === undefined || (point[0] > before[0] && point[1] >= before[1]);
  });
}

/**
 * Whether the model can score this catalogue's rows: its inputs are the catalogue's first features, computed as they were in
 * training. Features may have been added after them.
 */
export function scoresCatalogue({ inputs, catalogueSha256 }: ModelMetadata, catalogue: CompiledCatalogue): boolean {
  return inputs.length <= catalogue.names.length && catalogueSha256 === sha256OfFirst(catalogue, inputs.length);
}

/** The score, 0 to 1000, of a probability, by linear interpolation between the calibration's points. */
export function scoreOf(calibration: ModelMetadata['calibration'], probability: number): number {
  let lower = calibration[0];
  for (const point of calibration) {
    if (probability <= point[0] && lower !== undefined && point[0] > lower[0]) {
      const share = (probability - lower[0]) / (point[0] - lower[0]);
      return Math.round(lower[1] + share * (point[1] - lower[1]));
    }
    lower = point;
  }
  return probability <= 0 ? 0 : 1000;
}
