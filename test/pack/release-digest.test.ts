import { expect, it } from 'vitest';
import { findReleaseDigest } from '../../src/pack/fetch/release-digest.ts';

const DIGEST = `sha256:${'c'.repeat(64)}`;
const find = (answer: unknown): unknown =>
  findReleaseDigest(Buffer.from(JSON.stringify(answer)), 'components.yaml', 'api.example');

it.each<[string, unknown, string | undefined]>([
  [
    'a file among others',
    {
      assets: [
        { name: 'other.yaml', digest: null },
        { name: 'components.yaml', digest: DIGEST },
      ],
    },
    DIGEST,
  ],
  ['a file of before there were digests', { assets: [{ name: 'components.yaml', digest: null }] }, undefined],
  ['a file that is not there', { assets: [] }, undefined],
  ['a digest that is none', { assets: [{ name: 'components.yaml', digest: 'sha256:12' }] }, undefined],
])('the digest that GitHub tells of %s', (_, answer, digest) => {
  expect(find(answer)).toBe(digest);
});

it.each(['[]', '{"assets": 3}', 'no', '{"assets": [3]}'])(
  'an answer about something else is refused: %s',
  (text) => {
    expect(() => findReleaseDigest(Buffer.from(text), 'x', 'api.example')).toThrow(
      expect.objectContaining({
        code: 'CHECKSUM_UNUSABLE',
        about: 'api.example',
        message: 'the response does not describe a release',
      }),
    );
  },
);
