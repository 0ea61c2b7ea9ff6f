import { expect, it } from 'vitest';
import { platformPackage, unsupportedPlatform, type Platform } from './platform.ts';

const linux: Platform = { os: 'linux', arch: 'x64', isGlibc: true, isInstalled: () => true };

it('finds the package with the engine where there is one', () => {
  expect(platformPackage(linux)).toBe('@chdb/lib-linux-x64-gnu');
  expect(platformPackage({ ...linux, os: 'darwin', arch: 'arm64', isGlibc: false })).toBe('@chdb/lib-darwin-arm64');
});

it.each<[string, Platform]>([
  ['Windows', { ...linux, os: 'win32', isGlibc: false }],
  ['musl', { ...linux, isGlibc: false }],
  ['another processor', { ...linux, arch: 's390x' }],
  ['npm having left it out', { ...linux, isInstalled: () => false }],
])('says in one line what to do instead: %s', (_name, platform) => {
  expect(platformPackage(platform)).toBeUndefined();
  const error = unsupportedPlatform(platform);
  expect(error.code).toBe('SLUICE_HISTORY_UNSUPPORTED');
  expect(error.message).toContain('history.url');
  expect(error.message).toContain('URL of a ClickHouse server');
  expect(error.message).not.toContain('\n');
});
