import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { generateTypes } from './generate.ts';
import { packageRoot } from './packageRoot.ts';

it('types.ts is what the schemas say; if not, run `npm run generate`', () => {
  const folder = join(packageRoot, 'schemas');
  expect(readFileSync(join(folder, 'types.ts'), 'utf8')).toBe(generateTypes(pathToFileURL(`${folder}/`)));
});
