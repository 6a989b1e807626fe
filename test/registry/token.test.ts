import { describe, expect, test } from 'vitest';
import { parseToken } from '../../src/registry/auth/token.ts';

describe('the answer of a token service', () => {
  test.each<[answer: object, token: string, seconds: number]>([
    [{ token: 'abc' }, 'abc', 60],
    [{ access_token: 'abc' }, 'abc', 60],
    [{ token: '', access_token: 'abc' }, 'abc', 60],
    [{ token: 'abc', access_token: 'def', expires_in: 300 }, 'abc', 300],
    [{ token: 'abc', expires_in: 1 }, 'abc', 60],
    [{ token: 'abc', expires_in: 'soon' }, 'abc', 60],
    [{ token: 'x'.repeat(65_536) }, 'x'.repeat(65_536), 60],
  ])('%j', (answer, token, seconds) => {
    expect(parseToken(JSON.stringify(answer))).toEqual({ token, seconds });
  });

  test('may begin with a byte order mark', () => {
    expect(parseToken('\uFEFF{"token":"abc"}')).toEqual({ token: 'abc', seconds: 60 });
  });

  test.each([
    ['', 'it does not follow the protocol'],
    ['null', 'it contains no token'],
    ['{"token": 1}', 'it does not follow the protocol'],
    ['{}', 'it contains no token'],
    ['{"token": ""}', 'it contains no token'],
    // It goes into a header.
    [JSON.stringify({ token: 'a b' }), 'it contains no token'],
    [JSON.stringify({ token: 'a\r\nx: y' }), 'it contains no token'],
    [JSON.stringify({ token: 'ä' }), 'it contains no token'],
    [JSON.stringify({ token: 'x'.repeat(65_537) }), 'its token has 65537 characters'],
  ])('%j is refused', (body, message) => {
    expect(parseToken(body)).toEqual(new Error(message));
  });
});
