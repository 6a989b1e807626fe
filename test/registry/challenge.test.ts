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
    ['Negotiate YIIabc==, Bearer realm="https://a.example/t"', { realm: 'https://a.example/t' }],
    ['Negotiate YII/a+c==,Basic realm="x"', { scheme: 'basic' }],
    ['NTLM TlRM, Basic realm="x"', { scheme: 'basic' }],
    ['Digest qop="auth,auth-int", nonce=a==, Bearer realm="https://a.example/t"', { scheme: 'bearer' }],
    ['Basic realm="x" Bearer realm="https://a.example/t"', { scheme: 'bearer' }],
    ['/odd thing="a, b" , Bearer realm="https://a.example/t"', { scheme: 'bearer' }],
    [
      'Bearer realm=https://a.example/t?x=1,service=reg',
      { realm: 'https://a.example/t?x=1', service: 'reg' },
    ],
    ['BEARER REALM = "https://a.example/t" , Service="reg"', { scheme: 'bearer', service: 'reg' }],
    ['Bearer realm="/token?account=a"', { realm: '/token?account=a' }],
    ['Bearer realm="", Basic realm="x"', { scheme: 'basic' }],
    [
      'Bearer realm="/t",scope="repository:a:pull  repository:b:pull"',
      { scopes: ['repository:a:pull', 'repository:b:pull'] },
    ],
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

  const spaces = fc.stringMatching(/^[ \t]{0,2}$/);
  const word = fc.stringMatching(/^[A-Za-z0-9-]{1,8}$/);
  const parameter = fc
    .tuple(
      word,
      spaces,
      spaces,
      fc.string().map((text) => JSON.stringify(text)),
    )
    .map(([name, before, after, value]) => `x${name}${before}=${after}${value}`);
  const other = fc.oneof(
    fc.constantFrom('Negotiate', 'NTLM', 'basic realm="x"', 'Bearer', 'Bearer error="invalid_token"'),
    fc
      .tuple(word, fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,12}={0,2}$/))
      .map((parts) => `y${parts.join(' ')}`),
    fc.tuple(word, fc.array(parameter, { minLength: 1 })).map(([name, all]) => `y${name} ${all.join(',')}`),
  );
  const separator = fc.tuple(spaces, spaces).map(([before, after]) => `${before},${after}`);

  it('reads Bearer wherever it stands among challenges of any scheme', () => {
    const address = fc.constantFrom('/token', 'https://a.example/t?b=c,d', 'https://a.example/"t"');
    const cases = fc.tuple(fc.array(other), fc.array(other), address, separator, fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(cases, ([before, after, realm, comma, isUpper, areSplit]) => {
        const quoted = realm.replaceAll('"', '\\"');
        const bearer = `${isUpper ? 'BEARER' : 'Bearer'} realm="${quoted}"${comma}service="s"`;
        const all = [...before, bearer, ...after];
        expect(parseChallenge(areSplit ? all : all.join(comma))).toEqual({
          scheme: 'bearer',
          realm,
          service: 's',
          scopes: [],
        });
      }),
    );
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
