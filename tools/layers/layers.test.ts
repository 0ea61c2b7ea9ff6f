import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');
const fixture = join(import.meta.dirname, 'fixture');
const report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

/** The project's own rules on a small tree whose files each break one of them, or none. */
function violationsInFixture(): ReadonlyMap<string, readonly string[]> {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const layers = ['schemas', 'operators', 'models', 'pipeline', 'infra', 'cli'];
  const { stdout } = spawnSync(
    process.execPath,
    [program, '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', ...layers],
    { cwd: fixture, encoding: 'utf8' },
  );
  const { violations } = report.parse(JSON.parse(stdout)).summary;
  const rules = new Map<string, string[]>();
  for (const { from, rule } of violations) rules.set(from, [...(rules.get(from) ?? []), rule.name]);
  return rules;
}

describe('The layer rules', () => {
  const violations = violationsInFixture();

  it.each([
    ['schemas/importsOperators.ts', 'schemas-imports-only-what-is-below'],
    ['operators/importsModels.ts', 'operators-imports-only-what-is-below'],
    ['operators/readsFiles.ts', 'pure-code-does-no-io'],
    ['operators/first.ts', 'no-cycles'],
    ['models/importsPipeline.ts', 'models-imports-only-what-is-below'],
    ['models/callsServers.ts', 'pure-code-does-no-io'],
    ['pipeline/importsInfra.ts', 'pipeline-imports-only-what-is-below'],
    ['pipeline/importsInfraTypes.ts', 'pipeline-imports-only-what-is-below'],
    ['pipeline/importsTestSupport.ts', 'tests-stay-outside'],
    ['infra/importsCli.ts', 'infra-imports-only-what-is-below'],
    ['infra/importsVitest.ts', 'no-development-packages'],
    ['infra/importsNowhere.ts', 'every-import-resolves'],
  ])('catch %s', (file, rule) => {
    expect(violations.get(file)).toContain(rule);
  });

  it('let through what is right: imports downwards, and tests that reach for what they test with', () => {
    const right = [
      'schemas/payment.ts',
      'operators/count.ts',
      'models/score.ts',
      'pipeline/engine.ts',
      'pipeline/engine.test.ts',
      'infra/disk.ts',
      'cli/main.ts',
    ];
    expect(right.filter((file) => violations.has(file))).toEqual([]);
  });
});
