import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const manifest = z.object({ name: z.string() });

/**
 * The folder of Sluice's package.json. Code runs from the source tree or from dist/, while schemas and default
 * configuration stay in the source tree, so files are found from here and not relative to the module.
 */
export const packageRoot: string = findPackageRoot(dirname(fileURLToPath(import.meta.url)));

function findPackageRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const parsed = manifest.safeParse(JSON.parse(readFileSync(file, 'utf8')));
      if (parsed.success && parsed.data.name === 'sluice') return folder;
    }
    if (folder === dirname(folder)) {
      throw new Error(`SLUICE_PACKAGE_ROOT: no package.json named "sluice" above ${start}; reinstall Sluice`);
    }
  }
}
