import { expect, it } from 'vitest';
import { toKubernetesWord } from '../../src/config/kubernetes/kubernetes-word.ts';

it.each([
  ['1.38', { kind: 'minor', text: '1.38', minor: 38 }],
  [' v1.38 ', { kind: 'minor', text: '1.38', minor: 38 }],
  ['1.38.x', { kind: 'minor', text: '1.38', minor: 38 }],
  ['1.38.*', { kind: 'minor', text: '1.38', minor: 38 }],
  ['1.38.0', { kind: 'version', text: '1.38.0', version: '1.38.0' }],
  ['v1.39.0-rc.0', { kind: 'version', text: '1.39.0-rc.0', version: '1.39.0-rc.0' }],
  ['latest', { kind: 'latest', text: 'latest', back: 0 }],
  ['latest-2', { kind: 'latest', text: 'latest-2', back: 2 }],
  ['supported', { kind: 'supported', text: 'supported' }],
])('reads %j as a word for versions of Kubernetes', (text, word) => {
  expect(toKubernetesWord(text)).toEqual(word);
});

it.each([
  '',
  '1',
  '2.0.0',
  '1.38.',
  '1.1000',
  'newest',
  'Latest',
  'latest-0',
  'latest-100',
  'latest-',
  'latest 1',
])('reads %j as none', (text) => {
  expect(toKubernetesWord(text)).toBeUndefined();
});
