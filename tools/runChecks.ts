/** `npm run check`: format, lint, types, layers, unused; says which failed and why. */
import { runChecks } from './checks.ts';

const results = await runChecks();
const failed = results.filter(({ passed }) => !passed).map(({ check }) => check.name);
process.stdout.write(failed.length === 0 ? 'All checks pass.\n' : `Failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
