import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The card key cannot be used. One line for the person who started Sluice; never holds the key. */
export class SecretKeyError extends Error {
  readonly code = 'SLUICE_CARD_KEY';
}

const FILE_NAME = 'card.key';
const MIN_KEY_BYTES = 32;

/**
 * The key that turns card numbers into tokens: SLUICE_CARD_KEY (hexadecimal or base64, at least 32 bytes), else the
 * file card.key in the data folder, made at the first start. Losing it means that known cards get new tokens.
 */
export function loadCardKey(environment: Readonly<Record<string, string | undefined>>, dataFolder: string): Buffer {
  const given = environment['SLUICE_CARD_KEY'];
  if (given !== undefined && given !== '') {
    const key = decodeKey(given.trim());
    if (key === undefined)
      throw new SecretKeyError(
        `SLUICE_CARD_KEY must be at least ${MIN_KEY_BYTES} bytes in hexadecimal or base64; make one with: openssl rand -hex 32`,
      );
    return key;
  }
  const path = join(dataFolder, FILE_NAME);
  return readKeyFile(path) ?? createKeyFile(path, dataFolder);
}

function readKeyFile(path: string): Buffer | undefined {
  let mode: number;
  let text: string;
  try {
    mode = statSync(path).mode & 0o777;
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new SecretKeyError(`The card key ${path} cannot be read: ${error instanceof Error ? error.message : ''}`);
  }
  // Windows has no such modes.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new SecretKeyError(
      `The card key ${path} may be read by others (mode ${mode.toString(8).padStart(4, '0')}). Run: chmod 600 ${path}`,
    );
  const key = decodeKey(text);
  if (key === undefined)
    throw new SecretKeyError(
      `The card key ${path} is damaged: it must be at least ${MIN_KEY_BYTES} bytes in hexadecimal`,
    );
  return key;
}

/** Written whole under another name, then linked: two processes that start at once end up with the same key. */
function createKeyFile(path: string, dataFolder: string): Buffer {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const temporaryPath = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporaryPath, `${randomBytes(MIN_KEY_BYTES).toString('hex')}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    });
    linkSync(temporaryPath, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
      throw new SecretKeyError(
        `The card key ${path} cannot be written: ${error instanceof Error ? error.message : ''}`,
      );
  } finally {
    rmSync(temporaryPath, { force: true });
  }
  const key = readKeyFile(path);
  if (key === undefined) throw new SecretKeyError(`The card key ${path} is gone again`);
  return key;
}

function decodeKey(text: string): Buffer | undefined {
  const isHexadecimal = /^(?:[0-9a-fA-F]{2})+$/.test(text);
  if (!isHexadecimal && !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  const key = Buffer.from(text, isHexadecimal ? 'hex' : 'base64');
  return key.length >= MIN_KEY_BYTES ? key : undefined;
}
