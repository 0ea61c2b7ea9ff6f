import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_HTTP_SETTINGS } from './httpSettings.ts';
import { openApiDocument } from './openApi.ts';
import type { Operation } from './operation.ts';
import { OPERATIONS } from './operations.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';
import { fastifyPath } from './addRoute.ts';

const document = openApiDocument('1.2.3', DEFAULT_HTTP_SETTINGS);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

/** Every value of the document with this key, at any depth. */
function valuesOf(key: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap((each: unknown) => valuesOf(key, each));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]: [string, unknown]) => [
    ...(name === key ? [each] : []),
    ...valuesOf(key, each),
  ]);
}

describe('the OpenAPI document', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(async () => {
    await server.close();
  });

  it('describes every route that the server has, and no other', () => {
    for (const { path, method } of operations) {
      expect([path, server.app.hasRoute({ method: methodOf(method), url: fastifyPath(path) })]).toEqual([path, true]);
    }
    const registered = [...server.app.printRoutes({ commonPrefix: false }).matchAll(/\(([A-Z, ]+)\)/g)].flatMap(
      ([, methods = '']) => methods.split(', '),
    );
    expect(registered).toHaveLength(operations.length);
    expect(operations).toHaveLength(Object.keys(OPERATIONS).length);
  });

  it('has an id, a summary, declared path parameters and described answers for each', () => {
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    for (const { path, operation } of operations) {
      expect(operation.summary).not.toBe('');
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(inPath.map((parameter) => parameter.name)).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
      );
      expect(inPath.every((parameter) => parameter.required)).toBe(true);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/);
        expect(response.description).not.toBe('');
      }
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
    }
  });

  it('asks for a key exactly where the server does', () => {
    for (const operation of Object.values<Operation>(OPERATIONS)) {
      const described = document.paths[operation.path]?.[operation.method.toLowerCase()];
      expect(described?.security.length).toBe(operation.permission === null ? 0 : 2);
      expect(described !== undefined && '401' in described.responses).toBe(operation.permission !== null);
    }
  });

  it('resolves every reference', () => {
    const references = valuesOf('$ref', document);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      const [, name] = /^#\/components\/schemas\/(\w+)$/.exec(String(reference)) ?? [];
      expect([reference, Object.keys(document.components.schemas)]).toEqual([
        reference,
        expect.arrayContaining([name]),
      ]);
    }
  });

  it('takes the payment from the Avro schema, with its bounds, and leaves out what ingest fills in', () => {
    const { GatewayTransaction, Label } = document.components.schemas;
    expect(GatewayTransaction).toMatchObject({
      properties: { transactionId: { type: 'string', maxLength: 64 }, amountMinor: { minimum: 0 } },
    });
    expect(GatewayTransaction?.['required']).toEqual(expect.arrayContaining(['transactionId', 'amountMinor']));
    expect(Label?.['properties']).not.toHaveProperty('transactionOffset');
  });

  it('is served, and as a page that loads nothing and escapes what it shows', async () => {
    const json = await server.call('/openapi.json', { as: null });
    expect(json.json).toMatchObject({ openapi: '3.1.1', info: { version: '0.0.0-test' } });
    const page = await server.call('/docs', { as: null });
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.text).not.toMatch(/<script|src=|https?:\/\//);
    for (const { operation } of operations) expect(page.text).toContain(`id="${operation.operationId}"`);
  });
});

function methodOf(method: string): Operation['method'] {
  const found = (['GET', 'POST', 'PUT', 'DELETE'] as const).find((each) => each.toLowerCase() === method);
  if (found === undefined) throw new Error(`unexpected method ${method}`);
  return found;
}
