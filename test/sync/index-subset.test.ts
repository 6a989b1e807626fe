import { expect, test } from 'vitest';
import { isAttestation, keepEntries } from '../../src/sync/copy/index-subset.ts';
import { attestationOf, sampleIndex } from '../support/sample-manifest.ts';

const INDEX = sampleIndex([
  { word: 'amd64', platform: 'linux/amd64' },
  { word: 'unknown', platform: 'unknown/unknown' },
  { word: 'half', platform: 'linux/unknown' },
  { word: 'plain' },
  { word: 'named', annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
  { word: 'other', annotations: { 'vnd.docker.reference.type': 'something else' } },
  attestationOf('amd64'),
]);

test('an attestation has no platform that can run, or says what it is', () => {
  expect(INDEX.manifests.map(isAttestation)).toEqual([false, true, false, false, true, false, true]);
});

test('what is kept of an index is as it was, in its order', () => {
  const [first, , , plain] = INDEX.manifests;
  const kept = keepEntries(INDEX, new Set([plain, first].flatMap((entry) => entry ?? [])), 'test');
  expect(kept.kind === 'index' ? kept.manifests : []).toEqual([first, plain]);
  expect(kept.mediaType).toBe(INDEX.mediaType);
  const before: { manifests: unknown[] } = JSON.parse(INDEX.bytes.toString());
  const after: { manifests: unknown[] } = JSON.parse(kept.bytes.toString());
  expect(after.manifests).toEqual([before.manifests[0], before.manifests[3]]);
});

test('an index of which all is kept stays the same bytes', () => {
  expect(keepEntries(INDEX, new Set(INDEX.manifests), 'test')).toBe(INDEX);
});
