import { expect, test } from 'vitest';
import type { Digest } from '../../src/registry/oci/digest.ts';
import { requireReasonable } from '../../src/sync/copy/index-limits.ts';
import { digestFor, type SampleEntry, sampleIndex } from '../support/sample-manifest.ts';

const entries = (count: number, size = 100): SampleEntry[] =>
  Array.from({ length: count }, (_, number) => ({ word: `entry ${number}`, size }));
const known = (count: number, word = 'other'): ReadonlySet<Digest> =>
  new Set(Array.from({ length: count }, (_, number) => digestFor(`${word} ${number}`)));

test.each<[boolean, string, SampleEntry[], number, ReadonlySet<Digest>]>([
  [true, 'an ordinary one', entries(30), 0, known(0)],
  [true, 'nested three deep', entries(1), 3, known(0)],
  [false, 'nested deeper', entries(1), 4, known(0)],
  [true, '500 entries', entries(500), 0, known(0)],
  [false, 'more entries', entries(501), 0, known(0)],
  [true, '1000 under one tag', entries(400), 1, known(600)],
  [false, 'more under one tag', entries(400), 1, known(601)],
  [true, 'more that are met again', entries(400), 1, known(1000, 'entry')],
  [true, '4 MiB of manifests', entries(4, 1024 * 1024), 0, known(0)],
  [
    true,
    'a build cache with large layers',
    entries(5, 1024 * 1024 * 1024).map((entry) => ({
      ...entry,
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    })),
    0,
    known(0),
  ],
  [false, 'more bytes of manifests', entries(5, 1024 * 1024), 0, known(0)],
])('reasonable: %s, %s', (isReasonable, _, listed, depth, met) => {
  const required = () => requireReasonable(sampleIndex(listed), depth, met, 'e.org/a:v1');
  if (isReasonable) expect(required).not.toThrow();
  else {
    const failure = {
      code: 'INDEX_UNREASONABLE',
      about: 'e.org/a:v1',
      message: 'its index is nested too deeply or lists too much to be an image',
    };
    expect(required).toThrow(expect.objectContaining(failure));
  }
});
