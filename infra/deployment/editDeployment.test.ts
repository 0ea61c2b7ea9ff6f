import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../schemas/packageRoot.ts';
import { featureNameAt, withFeatures, withoutFeature, withVersion } from './editDeployment.ts';

const FEATURES = `# Ours.
features:
  # By card.
  - name: card_count_10m # short
    entity: card
    aggregate: count
    window: 10m

  - { name: amount, aggregate: expression, expression: tx.amountMinor }
`;
const ADDED = `features:
# Ask Li about this one.
- name: card_sum_1d
  entity: [card, merchant]
  aggregate: sum
  of: amountMinor
  where: tx.type == 'purchase'
  window: 1d
`;

const fileSchema = z.object({ features: z.array(z.record(z.string(), z.unknown())) });

function featuresOf(text: string): readonly Readonly<Record<string, unknown>>[] {
  return fileSchema.parse(parse(text)).features;
}

describe('editing a deployment', () => {
  it('puts features at the end and leaves the rest as it was', () => {
    const text = withFeatures(FEATURES, ADDED, 'more.yaml');
    expect(text.startsWith(FEATURES)).toBe(true);
    expect(text).toContain('Ask Li');
    expect(featuresOf(text)).toEqual([...featuresOf(FEATURES), ...featuresOf(ADDED)]);
  });

  it('fits the files that come with Sluice', () => {
    for (const deployment of ['default', 'handbook']) {
      const text = readFileSync(join(packageRoot, 'config', deployment, 'features.yaml'), 'utf8');
      const added = withFeatures(text, ADDED, 'more.yaml');
      expect(featuresOf(added)).toHaveLength(featuresOf(text).length + 1);
      expect(parse(withoutFeature(added, 'card_sum_1d'))).toEqual(parse(text));
    }
  });

  it('tells whose line it is', () => {
    const names = [3, 4, 7, 9].map((line) => featureNameAt(FEATURES, line));
    expect(names).toEqual([null, 'card_count_10m', 'card_count_10m', 'amount']);
  });

  it('takes one feature out', () => {
    expect(featuresOf(withoutFeature(FEATURES, 'amount'))).toEqual(featuresOf(FEATURES).slice(0, 1));
    const text = withoutFeature(FEATURES, 'card_count_10m');
    expect(featuresOf(text)).toEqual(featuresOf(FEATURES).slice(1));
    expect(text).toContain('# Ours.');
    expect(() => withoutFeature(FEATURES, 'nope')).toThrow('features.yaml has no feature nope');
  });

  it.each(['', 'features: 3', 'rules: []', '- name: x', 'just text', 'features: []'])(
    'refuses a file that is %j',
    (added) => {
      expect(() => withFeatures(FEATURES, added, 'more.yaml')).toThrow(
        /^more\.yaml must be YAML with a list under `features:`/,
      );
    },
  );

  it('says in one line where a file is not YAML', () => {
    const refused = /^more\.yaml:2 this is not valid YAML here: [^\n]+$/;
    expect(() => withFeatures(FEATURES, 'features:\n  - { name: x', 'more.yaml')).toThrow(refused);
  });

  it('names the feature that was probably meant', () => {
    expect(() => withoutFeature(FEATURES, 'amuont')).toThrow(
      'features.yaml has no feature amuont; did you mean amount?',
    );
  });

  it.each([
    ['ruleSetVersion: 2026-11.9 # current', 'ruleSetVersion: 2026-11.10 # current'],
    ['name: x\nruleSetVersion: "7"\n', 'name: x\nruleSetVersion: "2026-11.10"\n'],
  ])('gives %j another version', (before, after) => {
    expect(withVersion(before, '2026-11.10')).toBe(after);
  });
});
