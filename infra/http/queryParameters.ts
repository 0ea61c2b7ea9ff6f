import type { FastifyRequest } from 'fastify';
import { inputInvalid } from './httpError.ts';

export const MAX_CURSOR_LENGTH = 16;
const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

/** A parameter of the query; null where it is absent or empty. */
export function queryText(request: FastifyRequest, name: string, maxLength: number): string | null {
  const { query } = request;
  const value: unknown = typeof query === 'object' && query !== null ? Reflect.get(query, name) : undefined;
  if (value === undefined || value === '') return null;
  if (typeof value !== 'string' || value.length > maxLength) {
    throw inputInvalid(name, `must be given once, with at most ${maxLength} characters`);
  }
  return value;
}

/** The same, of a whole number. */
export function queryNumber(request: FastifyRequest, name: string, least: number, greatest: number): number | null {
  const text = queryText(request, name, String(greatest).length);
  if (text === null) return null;
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= greatest) return number;
  throw inputInvalid(name, `must be a whole number from ${least} to ${greatest}`);
}

/** `limit`: how many a page has at most. */
export function pageLimit(request: FastifyRequest): number {
  return queryNumber(request, 'limit', 1, MAX_PAGE) ?? DEFAULT_PAGE;
}
