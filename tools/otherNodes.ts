import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../schemas/packageRoot.ts';

/** A Node beside the one that runs, of another major version. */
export interface OtherNode {
  readonly major: number;
  /** The npm package that carries the binary, and the folder that it is installed into. */
  readonly packageName: string;
  readonly folder: string;
  readonly executable: string;
  readonly isInstalled: boolean;
}

/** What Sluice is said to give the same bytes under. */
const NODE_MAJORS = [20, 22, 24];

/** Never in node_modules: each is 190 MB that only one test needs. */
export function otherNodes(): readonly OtherNode[] {
  const current = Number(process.versions.node.split('.')[0]);
  return NODE_MAJORS.filter((major) => major !== current).map((major) => {
    const packageName = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
    const folder = join(packageRoot, 'artifacts', 'nodes', String(major));
    const executable = join(
      folder,
      'node_modules',
      packageName,
      'bin',
      process.platform === 'win32' ? 'node.exe' : 'node',
    );
    return { major, packageName, folder, executable, isInstalled: existsSync(executable) };
  });
}
