/**
 * Compares the contributions of config/default's model with the shap package's and records the result in models/RESULTS.md:
 *   npx tsx tools/checkShap.ts
 * It needs the Python environment that `make train` makes.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { say } from './training/commands.ts';
import { SHAP_HEADING, shapSection } from './training/shapCheck.ts';

const RESULTS = 'models/RESULTS.md';

const section = await shapSection('config/default/model');
const page = await readFile(RESULTS, 'utf8');
const start = page.indexOf(SHAP_HEADING);
const end = start < 0 ? -1 : page.indexOf('\n## ', start);
const before = start < 0 ? `${page}\n` : page.slice(0, start);
await writeFile(RESULTS, before + section + (end < 0 ? '' : page.slice(end)));
say(section);
