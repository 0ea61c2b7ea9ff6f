import { sha256OfFirst, type CompiledCatalogue } from '../operators/features/catalogue.ts';
import { scoresCatalogue, type ModelMetadata } from './modelPackage.ts';

/** Why a model cannot score a catalogue's rows. `path` leads into model.json. */
export interface ModelMisfit {
  readonly path: readonly (string | number)[];
  readonly code: 'SLUICE_MODEL_INPUTS' | 'SLUICE_MODEL_CATALOGUE';
  readonly message: string;
}

const MAX_NAMED = 5;

/** All that keeps the model from scoring the catalogue's rows; none: it can. */
export function catalogueMisfits(metadata: ModelMetadata, catalogue: CompiledCatalogue): readonly ModelMisfit[] {
  const misfits: ModelMisfit[] = [];
  const add = (path: ModelMisfit['path'], code: ModelMisfit['code'], message: string): void => {
    misfits.push({ path, code, message });
  };
  const unknown = metadata.inputs.filter((name) => !catalogue.names.includes(name));
  // Features after the model's are no concern of its.
  const known = catalogue.names.slice(0, metadata.inputs.length);
  const missing = known.filter((name) => !metadata.inputs.includes(name));
  const advice = 'Train the model anew (make train), or bring back the features.yaml it was trained with.';
  if (unknown.length > 0) {
    const index = metadata.inputs.indexOf(unknown[0] ?? '');
    const message = `the model wants features that features.yaml does not have: ${listed(unknown)}. ${advice}`;
    add(['inputs', index], 'SLUICE_MODEL_INPUTS', message);
  }
  if (missing.length > 0) {
    const message =
      `features.yaml has features among the model's that it does not know: ${listed(missing)}. ` +
      `Move them to the end of features.yaml, or: ${advice}`;
    add(['inputs'], 'SLUICE_MODEL_INPUTS', message);
  }
  if (unknown.length > 0 || missing.length > 0) return misfits;
  const index = metadata.inputs.findIndex((name, place) => name !== catalogue.names[place]);
  if (index >= 0) {
    const [have, want] = [metadata.inputs[index] ?? '', catalogue.names[index] ?? ''];
    const message = `the model's inputs are in another order than features.yaml: here ${have}, there ${want}. ${advice}`;
    add(['inputs', index], 'SLUICE_MODEL_INPUTS', message);
  } else if (!scoresCatalogue(metadata, catalogue)) {
    const message =
      "features.yaml computes other values than the model was trained on: the hash of the model's features is " +
      `${sha256OfFirst(catalogue, metadata.inputs.length)}. ${advice}`;
    add(['catalogueSha256'], 'SLUICE_MODEL_CATALOGUE', message);
  }
  for (const section of ['reasonFeatures', 'baselines'] as const) {
    const names = section === 'reasonFeatures' ? metadata.reasonFeatures : Object.keys(metadata.baselines);
    for (const [place, name] of names.entries())
      if (!catalogue.names.includes(name))
        add([section, section === 'baselines' ? name : place], 'SLUICE_MODEL_INPUTS', `there is no feature ${name}`);
  }
  return misfits;
}

function listed(names: readonly string[]): string {
  const rest = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
