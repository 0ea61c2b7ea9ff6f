/**
 * A program that the determinism test runs under several Nodes: `byteHashesChild.ts FILE` reads a prepared ledger and random
 * streams, runs them through the engine and the feature state, and prints hashes of every byte that came out.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { loadDeployment } from '../../infra/deployment/loadDeployment.ts';
import { Scorer } from '../../models/scorer.ts';
import type { FeatureDefinition } from '../../operators/definitions.ts';
import { compileCatalogue } from '../../operators/features/catalogue.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import { playStream, type Step } from '../../operators/features/testing/randomStream.ts';
import { copyFeatures } from '../../pipeline/engine/copyFeatures.ts';
import { Engine } from '../../pipeline/engine/engine.ts';
import { codecs } from '../../schemas/codec.ts';

const preparedSchema = z.object({
  config: z.string(),
  /** Ledger records, base64. */
  records: z.array(z.string()),
  streams: z.array(
    z.object({
      definitions: z.array(z.custom<FeatureDefinition>()),
      latenessMs: z.number(),
      steps: z.array(z.custom<Step>()),
    }),
  ),
});

export type Prepared = z.infer<typeof preparedSchema>;

export interface ByteHashes {
  readonly node: string;
  readonly decisions: number;
  /** Those that the model scored. */
  readonly scored: number;
  readonly decisionsSha256: string;
  readonly featuresSha256: string;
  readonly streamValues: number;
  readonly streamsSha256: string;
}

const BATCH_RECORDS = 256;

async function hashDecisions({ config, records }: Prepared): Promise<{
  readonly decisions: number;
  readonly scored: number;
  readonly decisionsSha256: string;
  readonly featuresSha256: string;
}> {
  const loaded = await loadDeployment(config);
  if (!loaded.ok || loaded.deployment.model === null) throw new Error(`${config} is no sound deployment with a model`);
  const { metadata, onnx } = loaded.deployment.model;
  const engine = new Engine(
    {
      loadModel: () => Scorer.load(metadata, onnx),
      createFeatures: (catalogue) => createFeatureState(catalogue),
      buildFeatures: (catalogue) => Promise.resolve(createFeatureState(catalogue)),
      compiled: () => null,
      storedDecision: () => Promise.reject(new Error('a new ledger has no stored decision')),
    },
    { maxBatch: 16, decidedThrough: -1 },
  );
  const decisionHash = createHash('sha256');
  const featureHash = createHash('sha256');
  let decisions = 0;
  let scored = 0;
  const rows = records.map((record, offset) => ({ offset, value: Buffer.from(record, 'base64') }));
  for (let start = 0; start < rows.length; start += BATCH_RECORDS) {
    for (const { decision } of await engine.process(rows.slice(start, start + BATCH_RECORDS))) {
      decisions++;
      if (decision.modelScore !== null) scored++;
      decisionHash.update(codecs.decision.encodeShared(decision));
      featureHash.update(bytesOf(decision.features));
    }
  }
  await engine.closeModels();
  return {
    decisions,
    scored,
    decisionsSha256: decisionHash.digest('hex'),
    featuresSha256: featureHash.digest('hex'),
  };
}

function hashStreams({ streams }: Prepared): { readonly streamValues: number; readonly streamsSha256: string } {
  const hash = createHash('sha256');
  let streamValues = 0;
  for (const { definitions, latenessMs, steps } of streams) {
    const compiled = compileCatalogue(definitions, latenessMs);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
    const state = createFeatureState(compiled.value);
    const out = new Float64Array(definitions.length);
    playStream(steps, {
      addLabel: (label) => state.addLabel(label),
      addOutcome: (outcome) => state.addOutcome(outcome),
      addReversal: (reversal, originalOffset) => state.addReversal(reversal, originalOffset),
      advanceTime: (timeMs) => state.advanceTime(timeMs),
      addTransaction: (tx, offset) => {
        state.addTransaction(tx, offset, out, 0);
        streamValues += out.length;
        hash.update(bytesOf(copyFeatures(out, 0, out.length)));
      },
    });
  }
  return { streamValues, streamsSha256: hash.digest('hex') };
}

function bytesOf(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(values).buffer);
}

const prepared = preparedSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
const hashes: ByteHashes = {
  node: process.versions.node,
  ...(await hashDecisions(prepared)),
  ...hashStreams(prepared),
};
process.stdout.write(`${JSON.stringify(hashes)}\n`);
