import { describe, expect, it } from 'vitest';
import { toKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { packageName, parseBetaSuffix } from '../../src/pack/plan/package-name.ts';

describe('parseBetaSuffix', () => {
  it.each([
    ['', undefined],
    ['false', undefined],
    ['true', 'beta'],
    ['beta', 'beta'],
    ['rc.1', 'rc.1'],
  ])('%j gives %s', (text, suffix) => {
    expect(parseBetaSuffix(text, '--beta')).toBe(suffix);
  });

  it.each(['a/b', '../x', 'a b', '-beta', 'x'.repeat(65)])('refuses %j', (text) => {
    expect(() => parseBetaSuffix(text, '--beta')).toThrow(
      expect.objectContaining({
        code: 'BETA_MALFORMED',
        message: expect.stringContaining('cannot be part of a file name'),
      }),
    );
  });
});

it.each([
  ['', 'kube-1.37.1-arm64.tar.gz'],
  ['true', 'kube-1.37.1-arm64-beta.tar.gz'],
  ['rc1', 'kube-1.37.1-arm64-rc1.tar.gz'],
])('a package with the suffix %j is called %s', (suffix, name) => {
  const version = toKubernetesVersion('1.37.1');
  if (version === undefined) throw new Error('it is one');
  expect(packageName(version, 'arm64', parseBetaSuffix(suffix, '--beta'))).toBe(name);
});
