import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { packageRoot } from '../schemas/packageRoot.ts';

const GiB = 1024 ** 3;

/** `AMD EPYC 7763, 2 cores, 23 GiB, Node 20.20.0, load 0.1`. Taken before a run, for the load not to be the run's own. */
export function describeMachine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown CPU';
  const memory = Math.round(totalmem() / GiB);
  const load = (loadavg()[0] ?? 0).toFixed(1);
  // As `./sluice` sets it.
  const pages = process.env['GLIBC_TUNABLES']?.includes('hugetlb=1') === true ? ', huge pages' : '';
  return `${model}, ${processors.length} cores, ${memory} GiB${pages}, Node ${process.versions.node}, load ${load}`;
}

/** The commit that is checked out; `+`: with changes beside earlier results. `unknown` outside a repository. */
export function describeCommit(): string {
  try {
    const commit = git('rev-parse', '--short', 'HEAD').trim();
    const changes = git('status', '--porcelain', '--untracked-files=no')
      .split('\n')
      .filter((line) => line !== '' && !line.endsWith('bench/RESULTS.md'));
    return changes.length === 0 ? commit : `${commit}+`;
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: packageRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
