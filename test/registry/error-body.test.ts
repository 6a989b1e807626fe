import { describe, expect, it } from 'vitest';
import { parseErrorBody } from '../../src/registry/error-body.ts';

describe('the body of an error', () => {
  it.each([
    ['{"errors":[{"code":"DENIED","message":"no\\n  access"}]}', ['DENIED'], 'DENIED: no access'],
    ['{"errors":[{"message":"no"}]}', [], 'no'],
    ['{"errors":[]}', [], ''],
    ['{"details":"incorrect username or password"}', [], 'incorrect username or password'],
    ['[1]', [], ''],
    ['You have reached\nyour limit', [], 'You have reached your limit'],
    ['  <html>gone</html>', [], ''],
    ['', [], ''],
  ])('%j is understood', (body, codes, text) => {
    expect(parseErrorBody(body)).toEqual({ codes, text });
  });

  it('is cut to what a person reads', () => {
    expect(parseErrorBody('x'.repeat(10_000)).text).toHaveLength(300);
  });
});
