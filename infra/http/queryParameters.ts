import type { FastifyRequest } from 'fastify';
import { HttpError } from './httpError.ts';

/** A parameter of the query; null where it is absent or empty. */
export function queryText(request: FastifyRequest, name: string, maxLength: number): string | null {
  const { query } = request;
  const value: unknown = typeof query === 'object' && query !== null ? Reflect.get(query, name) : undefined;
  if (value === undefined || value === '') return null;
  if (typeof value !== 'string' || value.length > maxLength) {
    throw invalid(name, `must be given once, with at most ${maxLength} characters`);
  }
  return value;
}

/** The same, of a whole number. */
export function queryNumber(request: FastifyRequest, name: string, least: number, greatest: number): number | null {
  const text = queryText(request, name, String(greatest).length);
  if (text === null) return null;
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= greatest) return number;
  throw invalid(name, `must be a whole number from ${least} to ${greatest}`);
}

function invalid(field: string, message: string): HttpError {
  return new HttpError(400, { code: 'SLUICE_INPUT_INVALID', field, message });
}
