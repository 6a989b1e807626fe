import { describe, expect, it } from 'vitest';
import { hasLogin, mayHoldSecret, withoutLogins, withoutSecrets } from '../../src/lib/text/hidden-secrets.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('a login', () => {
  it.each([
    ['https://user:hush@registry.example/app', 'https://registry.example/app'],
    ['user:p@ss@registry.example', 'registry.example'],
    ['robot$a:s3cret@registry.example:5000/app:1', 'registry.example:5000/app:1'],
    ['https://ghp_hush@registry.example/app', 'https://registry.example/app'],
    ['https://user:hu/sh@registry.example/app', 'https://registry.example/app'],
    [`"https://user:hush@registry.example/app@${DIGEST}"`, `"https://registry.example/app@${DIGEST}"`],
    ['--image=user:hu=sh@registry.example/app', '--image=registry.example/app'],
    ['(user:hush@registry.example)', '(registry.example)'],
    [
      'expected an age, found "https://u:hush@a.example" (write "48h")',
      'expected an age, found "https://a.example" (write "48h")',
    ],
    ['user：hush＠registry.example／app', 'registry.example／app'],
    ['https://user:hush@', 'https://'],
  ])('in %s is left out', (text, rest) => {
    expect(hasLogin(text)).toBe(true);
    expect(withoutLogins(text)).toBe(rest);
  });

  it.each([
    `nginx:1@${DIGEST}`,
    `host.example:5000/a:1@${DIGEST}`,
    'a@b',
    'registry.example:5000/app:1',
    'https://registry.example:5000/a/b@c',
    'https://github.com/team/app/.github/workflows/release.yml@refs/tags/v1',
    'signer@project.iam.example',
    'actions/checkout@v6',
  ])('is not in %s', (text) => {
    expect(hasLogin(text)).toBe(false);
    expect(withoutLogins(text)).toBe(text);
  });

  it.each([
    ['user:hush@', ''],
    ['"user:hush@"', '""'],
    ['user:hush@/app', '/app'],
    ['nginx:latest@', ''],
  ])('may be in %s, which is left out, but is no reason to refuse it', (text, rest) => {
    expect(hasLogin(text)).toBe(false);
    expect(withoutLogins(text)).toBe(rest);
  });
});

it.each([
  ['https://a.example/x?access_token=hush&n=1', 'https://a.example/x?access_token=…&n=1'],
  ['"https://a.example/x?X-Amz-Signature=hush"', '"https://a.example/x?X-Amz-Signature=…"'],
  ['https://a.example/x?n=10&last=b', 'https://a.example/x?n=10&last=b'],
])('of %s a parameter that opens something has no value', (text, rest) => {
  expect(withoutSecrets(text)).toBe(rest);
});

it.each([
  ['docker login -u robot -p hush registry.example', true],
  ['echo hush | docker login --password-stdin', true],
  ['export REGISTRY_PASSWORD=hush x', true],
  ['curl -H "Authorization: Bearer hush" https://a.example', true],
  ['api_key: hush', true],
  ['REGISTRY_PASSWORD=hush', true],
  ['curl -u robot:hush https://a.example', true],
  ['docker run -u 1000:1000 nginx:1.29', false],
  ['docker pull registry.example/login/app:1', false],
  ['nginx 1.29', false],
  ['registry.example/token-service:1', false],
])('%s may hold a secret: %s', (text, may) => {
  expect(mayHoldSecret(text)).toBe(may);
});

it('is found in linear time', () => {
  const started = performance.now();
  for (const part of ['/', 'a:', '@', '?', 'a/', '"', '=', '?token', '&a', '：', 'a ', '@sha256:'])
    for (const text of [part.repeat(200_000), `x${part.repeat(200_000)}@x`]) {
      withoutSecrets(text);
      mayHoldSecret(text);
    }
  // Milliseconds; in the square of its length it would take minutes.
  expect(performance.now() - started).toBeLessThan(20_000);
});
