import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { digestFile, FileMeter } from '../../src/upstream/fetch/file-digest.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const CONTENT = Buffer.alloc(2_500_000, 'Kubernetes without a network. ');
const SHA256 = digestOf(CONTENT);
const SHA512 = digestOf(CONTENT, 'sha512');
const { signal } = new AbortController();

function filed(content: Buffer): string {
  const file = join(scratchFolder(), 'file');
  writeFileSync(file, content);
  return file;
}

test.each([
  ['nothing', undefined, SHA256],
  ['a sha256', digestOf(Buffer.from('other')), SHA256],
  ['a sha512', digestOf(Buffer.from('other'), 'sha512'), SHA512],
])('a file of which %s is expected is hashed so', async (_what, expected, compared) => {
  expect(await digestFile(filed(CONTENT), expected, signal)).toEqual({
    size: CONTENT.length,
    sha256: SHA256,
    compared,
  });
});

test('a meter tells the digest of what passed so far, and goes on', async () => {
  const meter = new FileMeter(SHA512);
  meter.add(CONTENT.subarray(0, 1000));
  expect([meter.size, meter.digest('sha256')]).toEqual([1000, digestOf(CONTENT.subarray(0, 1000))]);
  await meter.addFile(filed(CONTENT.subarray(1000)), signal);
  expect([meter.size, meter.digest('sha256'), meter.digest('sha512')]).toEqual([
    CONTENT.length,
    SHA256,
    SHA512,
  ]);
});

test('an abort ends it with its own reason', async () => {
  const reason = new Error('enough');
  await expect(digestFile(filed(CONTENT), undefined, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a file that is not there fails as the system says', async () => {
  const missing = join(scratchFolder(), 'none');
  await expect(digestFile(missing, undefined, signal)).rejects.toMatchObject({ code: 'ENOENT' });
});
