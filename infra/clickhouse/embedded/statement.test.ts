import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasSecondStatement, parseStatement, refuseFileClauses } from './statement.ts';

function insertHead(text: string): { target: string; settings: string; format: string; data: string } {
  const statement = parseStatement(text);
  if (statement.kind !== 'insertData') throw new Error(`taken for ${statement.kind}`);
  const { target, settings, format, dataStart } = statement.insert;
  return { target, settings, format, data: text.slice(dataStart) };
}

describe('an INSERT is split into its head and its data', () => {
  it('behind FORMAT and one line end', () => {
    expect(insertHead('INSERT INTO t (a, b) FORMAT CSV\n1,2\n\nDROP TABLE t')).toEqual({
      target: 'INSERT INTO t (a, b)',
      settings: '',
      format: 'CSV',
      data: '1,2\n\nDROP TABLE t',
    });
  });

  it('with SETTINGS, comments and odd names', () => {
    expect(
      insertHead(
        "/* x */ insert into `for\nmat`.format (`values`) settings a = 1, b = 'format' format JSONEachRow\r\n{}",
      ),
    ).toEqual({
      target: '/* x */ insert into `for\nmat`.format (`values`)',
      settings: " settings a = 1, b = 'format'",
      format: 'JSONEachRow',
      data: '{}',
    });
  });

  it('behind VALUES', () => {
    expect(insertHead("INSERT INTO t VALUES (1, 'a;\n\nb')")).toMatchObject({
      format: 'Values',
      data: " (1, 'a;\n\nb')",
    });
  });

  it('whatever the bytes of the data are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const data = Buffer.from(bytes).toString('latin1');
        expect(insertHead(`INSERT INTO t FORMAT RowBinary\n${data}`).data).toBe(data);
      }),
    );
  });

  it('INSERT … SELECT has none', () => {
    for (const text of [
      'INSERT INTO t SELECT * FROM s',
      'INSERT INTO t (a) (SELECT 1)',
      'INSERT INTO t WITH 1 AS x SELECT x;',
    ])
      expect(parseStatement(text)).toEqual({ kind: 'insertSelect', sql: text.replace(/;$/, '') });
  });

  it('a statement in front of the data is refused', () => {
    expect(() => parseStatement('INSERT INTO t; DROP TABLE t FORMAT CSV\n1')).toThrow('SYNTAX_ERROR');
  });
});

describe('a SELECT is split from its FORMAT clause', () => {
  it.each([
    ['SELECT 1', 'SELECT 1', null, ''],
    ['SELECT 1 -- end', 'SELECT 1', null, ''],
    ['SELECT 1 FORMAT JSON;', 'SELECT 1 ', 'JSON', ''],
    [
      '(SELECT 1) UNION ALL (SELECT 2) format CSV SETTINGS max_threads = 1',
      '(SELECT 1) UNION ALL (SELECT 2) ',
      'CSV',
      ' SETTINGS max_threads = 1',
    ],
    ["SELECT 'x FORMAT JSON'", "SELECT 'x FORMAT JSON'", null, ''],
    ['SELECT format FROM t', 'SELECT format FROM t', null, ''],
    ['WITH x AS (SELECT 1) SELECT * FROM x', 'WITH x AS (SELECT 1) SELECT * FROM x', null, ''],
  ])('%s', (text, body, format, settings) => {
    expect(parseStatement(text)).toEqual({ kind: 'select', body, format, settings });
  });
});

describe('a second statement is seen', () => {
  it.each([
    ['SELECT 1; DROP TABLE t', true],
    ['SELECT 1;;  -- nothing\n/* more */ ;', false],
    ["SELECT ';', `;`, \";\" FROM t WHERE a = 'it''s;' -- ; x", false],
    ["SELECT 'a\\'; ' ; SELECT 2", true],
    ['SELECT $tag$ ; $$ ; $tag$', false],
    ['SELECT \u00e2\u0080\u0098;\u00e2\u0080\u0099', false],
  ])('%s: %s', (text, expected) => {
    expect(hasSecondStatement(text)).toBe(expected);
  });
});

it('clauses that name files of the host are refused, strings that look so are not', () => {
  for (const text of ["SELECT 1 INTO /**/ OUTFILE 'x'", "INSERT INTO t FROM INFILE 'x' FORMAT CSV"])
    expect(() => refuseFileClauses(parseStatement(text))).toThrow('SUPPORT_IS_DISABLED');
  refuseFileClauses(parseStatement("SELECT 'into outfile', infile FROM outfile"));
});
