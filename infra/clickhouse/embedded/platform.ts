import { createRequire } from 'node:module';

export type EmbeddedClickHouseErrorCode =
  /** There is no engine for this platform, or npm left its package out. */
  | 'SLUICE_HISTORY_UNSUPPORTED'
  /** The port is taken. */
  | 'SLUICE_HISTORY_PORT'
  /** Another process has the data folder open. */
  | 'SLUICE_HISTORY_LOCKED'
  /** The engine did not come up for another reason. */
  | 'SLUICE_HISTORY_START';

/** One line for the user: what is wrong and what to do. */
export class EmbeddedClickHouseError extends Error {
  readonly code: EmbeddedClickHouseErrorCode;
  constructor(code: EmbeddedClickHouseErrorCode, message: string) {
    super(message);
    this.name = 'EmbeddedClickHouseError';
    this.code = code;
  }
}

/** What decides whether the engine can run here; given by tests. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
  /** Linux only: glibc, as opposed to musl. */
  readonly isGlibc: boolean;
  readonly isInstalled: (packageName: string) => boolean;
}

// The platforms that chdb 3.4 ships a binary for.
const packages = new Map([
  ['darwin-arm64', '@chdb/lib-darwin-arm64'],
  ['darwin-x64', '@chdb/lib-darwin-x64'],
  ['linux-x64', '@chdb/lib-linux-x64-gnu'],
  ['linux-arm64', '@chdb/lib-linux-arm64-gnu'],
]);

/** The npm package that holds the engine for this platform; undefined where there is none. */
export function platformPackage(platform: Platform = thisPlatform()): string | undefined {
  const name = packages.get(`${platform.os}-${platform.arch}`);
  if (name === undefined || (platform.os === 'linux' && !platform.isGlibc)) return undefined;
  return platform.isInstalled(name) ? name : undefined;
}

export function unsupportedPlatform(platform: Platform = thisPlatform()): EmbeddedClickHouseError {
  const libc = platform.os === 'linux' && !platform.isGlibc ? ' (musl)' : '';
  return new EmbeddedClickHouseError(
    'SLUICE_HISTORY_UNSUPPORTED',
    `The embedded ClickHouse engine has no binary installed for ${platform.os}-${platform.arch}${libc}: ` +
      'set history.url in sluice.yaml to the URL of a ClickHouse server',
  );
}

function thisPlatform(): Platform {
  return {
    os: process.platform,
    arch: process.arch,
    isGlibc: hasGlibc(),
    isInstalled: (name) => {
      try {
        const here = createRequire(import.meta.url);
        createRequire(here.resolve('chdb/package.json')).resolve(name);
        return true;
      } catch {
        return false;
      }
    },
  };
}

function hasGlibc(): boolean {
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('header' in report)) return false;
  const header = report.header;
  return typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header;
}
