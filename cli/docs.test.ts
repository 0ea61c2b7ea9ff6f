import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { checkReport } from '../infra/deployment/checkReport.ts';
import { loadDeployment } from '../infra/deployment/loadDeployment.ts';
import { documentBlocks, documentLinks, documents, type DocumentBlock } from './testing/documentBlocks.ts';
import { ReaderFolder } from './testing/readerFolder.ts';
import { killSpawned } from './testing/spawnSluice.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BLOCK_TIMEOUT_MS = 110_000;
const blocks = documents().flatMap(documentBlocks);

describe('the documents link to files that exist', () => {
  it.each(documents())('%s', (document) => {
    const missing = documentLinks(document).filter((link) => !existsSync(join(ROOT, dirname(document), link)));
    expect(missing).toEqual([]);
  });
});

describe('YAML in the documents makes a sound deployment', () => {
  const checked = blocks.filter(({ action }) => action === 'check');

  it.each([...new Set(checked.map(({ document }) => document))])('%s', async (document) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
    try {
      cpSync(join(ROOT, 'config/default'), folder, { recursive: true });
      for (const block of checked) if (block.document === document) addToDeployment(folder, block);
      expect(checkReport(document, await loadDeployment(folder))).toContain('is sound');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

const missingTools = ['bash', 'curl', 'gzip'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
if (missingTools.length > 0) process.stdout.write(`commands of the documents not run: no ${missingTools.join(', ')}\n`);

describe.runIf(missingTools.length === 0)('commands in the documents do what they say', () => {
  let reader: ReaderFolder | undefined;

  beforeAll(async () => {
    reader = await ReaderFolder.start();
  });

  afterAll(async () => {
    const exitCode = await reader?.stop();
    await killSpawned();
    expect(exitCode).toBe(0);
  });

  it.each(blocks.filter(({ action }) => action === 'run').map((block) => [block.document, block.name, block] as const))(
    '%s: %s',
    async (_document, _name, block) => {
      const result = await reader?.run(block.text);
      expect(result?.output).toContain(block.expects);
      expect(result?.exitCode).toBe(0);
    },
    BLOCK_TIMEOUT_MS,
  );
});

/** Puts a block where its reader would. A model fits one catalogue only, so the shipped one goes when features come. */
function addToDeployment(folder: string, { document, name, text }: DocumentBlock): void {
  const content: unknown = parse(text);
  switch (name) {
    case 'rules':
      writeFileSync(join(folder, 'rules/documented.yaml'), stringify({ rules: content }));
      return;
    case 'features.yaml':
      rmSync(join(folder, 'model'), { recursive: true, force: true });
      changeYaml(join(folder, name), ({ features }) => ({ features: concatenated(features, content) }));
      return;
    case 'mapping.yaml':
      writeFileSync(join(folder, name), text);
      return;
    case 'sluice.yaml':
      changeYaml(join(folder, name), (settings) => ({ ...settings, ...asRecord(content) }));
      return;
    default:
      throw new Error(`${document}: there is no file ${name} in a deployment`);
  }
}

function changeYaml(file: string, change: (content: Readonly<Record<string, unknown>>) => unknown): void {
  writeFileSync(file, stringify(change(asRecord(parse(readFileSync(file, 'utf8'))))));
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function concatenated(first: unknown, second: unknown): readonly unknown[] {
  return [...(Array.isArray(first) ? first : []), ...(Array.isArray(second) ? second : [])];
}
