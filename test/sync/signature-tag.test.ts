import { expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { isReferrersTag, isSignatureTag, signatureTagsOf } from '../../src/sync/select/signature-tag.ts';

const DIGEST = digestOf(Buffer.from('an image'));
const SIGNATURE = `sha256-${DIGEST.slice(7)}`;

test('signature tags are told from others and go to their image', () => {
  const other = digestOf(Buffer.from('another image'));
  const tags = [
    `${SIGNATURE}.sig`,
    `${SIGNATURE}.att`,
    `${SIGNATURE}.sbom`,
    SIGNATURE,
    `sha256-${other.slice(7)}.sig`,
    'v1',
  ];
  expect(tags.map(isSignatureTag)).toEqual([true, true, true, true, true, false]);
  expect(tags.filter(isReferrersTag)).toEqual([SIGNATURE]);
  expect(signatureTagsOf(DIGEST, tags)).toEqual(tags.slice(0, 4));
  expect(signatureTagsOf(digestOf(Buffer.from('an image'), 'sha512'), tags)).toEqual([]);
  expect(isSignatureTag('sha256-abc')).toBe(false);
});
