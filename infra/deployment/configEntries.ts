import { z } from 'zod';
import type { FeatureDefinition } from '../../operators/definitions.ts';
import type { ConfigFile } from './configFile.ts';
import { featureEntrySchema } from './featureEntry.ts';

/** A list of things declared in files: those that have the right shape, and where each of them stands. */
export interface Entries<T> {
  readonly values: T[];
  readonly places: {
    readonly file: ConfigFile;
    readonly path: readonly (string | number)[];
    readonly faulty: boolean;
  }[];
}

export function readFeatures(file: ConfigFile): Entries<FeatureDefinition> {
  const entries: Entries<FeatureDefinition> = { values: [], places: [] };
  for (const [path, value] of itemsOf(file, 'features', true)) {
    const feature = file.parse(featureEntrySchema, path);
    entries.values.push(feature ?? { name: nameOf(value, 'name'), aggregate: 'expression', expression: '0.0' });
    entries.places.push({ file, path, faulty: feature === undefined });
  }
  return entries;
}

/** The items of the file's list `section`. `alone`: the file holds nothing else. */
export function itemsOf(
  file: ConfigFile,
  section: string,
  alone: boolean,
): [path: (string | number)[], value: unknown][] {
  if (file.value === undefined) return [];
  const shape = { [section]: z.array(z.unknown()) };
  if (alone && file.parse(z.strictObject(shape)) === undefined) return [];
  const items = file.at([section]);
  return Array.isArray(items) ? items.map((value: unknown, index) => [[section, index], value]) : [];
}

export function nameOf(value: unknown, key: string): string {
  if (typeof value !== 'object' || value === null) return '';
  const name: unknown = Object.entries(value).find(([candidate]) => candidate === key)?.[1];
  return typeof name === 'string' ? name : '';
}
