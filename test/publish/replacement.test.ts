import { expect, it } from 'vitest';
import { mayReplace } from '../../src/publish/contract/replacement.ts';

it.each([
  ['kube-1.36.2-amd64-beta.tar.gz', true],
  ['kube-1.36.2-arm64-beta', true],
  ['kube-1.36.2-beta.1-amd64.tar.gz', true],
  ['kube-1.36.2-amd64.tar.gz', false],
  ['kube-1.36.2-betamax.tar.gz', false],
])('%s may be replaced by another of its name: %s; with overwrite any may', (name, expected) => {
  expect(mayReplace(name, false)).toBe(expected);
  expect(mayReplace(name, true)).toBe(true);
});
