import { describe, expect, it } from 'vitest';
import { parseErrorBody } from '../../src/registry/error-body.ts';

describe('the body of an error', () => {
  it.each([
    ['{"errors":[{"code":"DENIED","message":"no\\n  access"}]}', ['DENIED'], 'DENIED: no access'],
    ['{"errors":[{"message":"no"}]}', [], 'no'],
    ['\uFEFF{"errors":[null,{"code":"DENIED"}]}', ['DENIED'], 'DENIED'],
    ['{"errors":[]}', [], ''],
    ['{"details":"incorrect username or password"}', [], 'incorrect username or password'],
    [
      '{"errors":[{"code":"A","message":"no"},{"code":"B"},{"code":"A","message":"no"},{"code":5}]}',
      ['A', 'B', 'A'],
      'A: no; B',
    ],
    ['{"errors":[{"code":"A","message":"no","detail":"layer 2"}]}', ['A'], 'A: no (layer 2)'],
    ['[1]', [], ''],
    ['You have reached\nyour limit', [], 'You have reached your limit'],
    ['  <html>gone</html>', [], ''],
    ['', [], ''],
  ])('%j is understood', (body, codes, text) => {
    expect(parseErrorBody(body)).toMatchObject({ codes, text });
  });

  it('is cut to what a person reads', () => {
    expect(parseErrorBody('x'.repeat(10_000)).text).toHaveLength(300);
  });

  it('is that of its first errors, where there are very many', () => {
    const errors = Array.from({ length: 500 }, (_, at) => ({ code: `CODE_${at}`, message: 'm'.repeat(100) }));
    expect(parseErrorBody(JSON.stringify({ errors })).codes).toHaveLength(100);
  });

  it('says nothing where it would cost more than it says', () => {
    const nothing = { codes: [], text: '', details: '' };
    expect(parseErrorBody(`{"errors":[${'{},'.repeat(300_000)}{}]}`)).toEqual(nothing);
    expect(parseErrorBody(`{"errors":[{"detail":${'['.repeat(500)}1${']'.repeat(500)}}]}`)).toEqual(nothing);
  });

  it('has the details of all its errors, in whatever form', () => {
    const body = '{"errors":[{"detail":"one"},{"code":"A"},{"detail":{"two":[3]}}]}';
    expect(parseErrorBody(body).details).toBe('"one"  {"two":[3]}');
  });
});
