import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenge } from '../../src/registry/auth/challenge.ts';

describe('a challenge', () => {
  it.each([
    ['Basic realm="registry"', { scheme: 'basic' }],
    ['BASIC', { scheme: 'basic' }],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
      { scheme: 'bearer', realm: 'https://auth.docker.io/token', service: 'registry.docker.io' },
    ],
    [
      'bearer service=reg , realm="https://a.example/t?x=1,2" , scope="repository:a/b:pull,push"',
      { scheme: 'bearer', realm: 'https://a.example/t?x=1,2', service: 'reg' },
    ],
    ['Bearer realm="https://a.example/\\"q\\""', { scheme: 'bearer', realm: 'https://a.example/"q"' }],
    ['Basic realm="x", Bearer realm="https://a.example/t"', { scheme: 'bearer' }],
    ['Bearer error="insufficient_scope", Basic realm="x"', { scheme: 'basic' }],
    ['Negotiate, Basic realm="x"', { scheme: 'basic' }],
  ])('reads %s', (header, expected) => {
    expect(parseChallenge(header)).toMatchObject(expected);
  });

  it('prefers Bearer among several headers', () => {
    expect(parseChallenge(['Basic realm="x"', 'Bearer realm="https://a.example/t"'])).toEqual({
      scheme: 'bearer',
      realm: 'https://a.example/t',
      service: undefined,
      scopes: [],
    });
  });

  it.each([undefined, '', 'Negotiate', 'Bearer', '=,=', '"', 'Bearer =x'])('finds none in %j', (header) => {
    expect(parseChallenge(header)).toBeUndefined();
  });

  it('survives any header, in linear time', () => {
    fc.assert(fc.property(fc.string(), (header) => void parseChallenge(header)));
    const started = performance.now();
    parseChallenge(`Bearer ${'a="\\'.repeat(100_000)}`);
    parseChallenge(' ,'.repeat(100_000));
    // Milliseconds; in the square of its length it would take minutes.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
