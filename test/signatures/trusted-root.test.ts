import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { TRUSTED_ROOT_FILE } from '../../scripts/trusted-root.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { readBundle } from '../../src/signatures/sigstore-bundle.ts';
import { SigstoreVerifier } from '../../src/signatures/sigstore-verifier.ts';
import { openVerifier } from '../../src/signatures/trusted-root.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { messageBundle } from '../support/sigstore/signature.ts';
import { TestSigstore } from '../support/sigstore/sigstore.ts';

const calm = new AbortController().signal;

const seedsShape = z.record(z.string(), z.object({ targets: z.record(z.string(), z.string()) }));
const validFor = z.object({ start: z.iso.datetime(), end: z.iso.datetime().optional() });
const rootShape = z.object({
  mediaType: z.string(),
  tlogs: z.array(z.object({ baseUrl: z.string(), publicKey: z.looseObject({ validFor }) })),
  certificateAuthorities: z.array(z.object({ uri: z.string(), validFor })),
  ctlogs: z.array(z.object({ baseUrl: z.string() })),
  timestampAuthorities: z.array(z.object({ uri: z.string() })),
});

function seeds(): unknown {
  const text = readFileSync(createRequire(import.meta.url).resolve('@sigstore/tuf/seeds.json'), 'utf8');
  const seed = seedsShape.parse(JSON.parse(text))['https://tuf-repo-cdn.sigstore.dev'];
  return JSON.parse(Buffer.from(seed?.targets['trusted_root.json'] ?? '', 'base64').toString('utf8'));
}

const pinned: unknown = JSON.parse(readFileSync(TRUSTED_ROOT_FILE, 'utf8'));

/** When each part of a root began to count, by its address: a newer root has all of them, and perhaps more. */
function beginnings(root: unknown): string[] {
  const { tlogs, certificateAuthorities, ctlogs, timestampAuthorities } = rootShape.parse(root);
  return [
    ...tlogs.map(({ baseUrl, publicKey }) => `${baseUrl} ${publicKey.validFor.start}`),
    ...certificateAuthorities.map(({ uri, validFor: { start } }) => `${uri} ${start}`),
    ...ctlogs.map(({ baseUrl }) => baseUrl),
    ...timestampAuthorities.map(({ uri }) => uri),
  ];
}

test('the trusted root in the repository is that of the installed package, or a newer one', () => {
  expect(beginnings(pinned)).toEqual(expect.arrayContaining(beginnings(seeds())));
});

test('it is the public one of Sigstore, with an authority and a log that are still in use', () => {
  const root = rootShape.parse(pinned);
  expect(root.mediaType).toBe('application/vnd.dev.sigstore.trustedroot+json;version=0.1');
  const open = root.certificateAuthorities.filter(({ validFor: { end } }) => end === undefined);
  expect(open.map(({ uri }) => uri)).toEqual(['https://fulcio.sigstore.dev']);
  expect(root.tlogs.map(({ baseUrl }) => baseUrl)).toContain('https://rekor.sigstore.dev');
  expect(() => new SigstoreVerifier(pinned)).not.toThrow();
});

test('without a file signatures are verified against the one in the repository', async () => {
  expect(await openVerifier(undefined, calm)).toBeInstanceOf(SigstoreVerifier);
});

test('a file of one’s own takes its place', async () => {
  const sigstore = await TestSigstore.start();
  const manifest = Buffer.from('{}');
  const signer = { identity: 'me@example.com', issuer: 'https://accounts.example.com' };
  const bundle = JSON.stringify(await messageBundle(sigstore, manifest, signer));
  const candidate = readBundle(Buffer.from(bundle), digestOf(manifest), manifest);
  if (candidate.kind !== 'candidate') throw new Error(candidate.reason);
  const own = await openVerifier(sigstore.writeTrustedRoot(scratchFolder()), calm);
  expect(own.verify(candidate)).toEqual({ ...signer, identityKind: 'email' });
  const pinnedOne = await openVerifier(undefined, calm);
  expect(() => pinnedOne.verify(candidate)).toThrow();
});

test.each<[what: string, text: string | undefined, message: string]>([
  ['that is not there', undefined, 'there is no such file'],
  ['that is no JSON', '{', 'it is not JSON'],
  ['that is empty', '', 'it is not JSON'],
  [
    'with one on each line',
    '{"mediaType":"a"}\n{"mediaType":"b"}\n',
    'it contains a trusted root on each line: keep one of them',
  ],
  ['that is something else', '{"a":1}', 'it is not a trusted root: it has no certificate authority, no log'],
  ['that is a list', '[]', 'it is not a trusted root: '],
  ['that is nothing', 'null', 'it is not a trusted root: '],
])('a file %s is refused with what is wrong with it', async (_what, text, message) => {
  const file = join(scratchFolder(), 'root.json');
  if (text !== undefined) writeFileSync(file, text);
  await expect(openVerifier(file, calm)).rejects.toMatchObject({
    code: 'TRUSTED_ROOT_MALFORMED',
    about: `trusted-root ${file}`,
    message: expect.stringContaining(message),
    hint: 'use a trusted_root.json of Sigstore, such as "cosign trusted-root create" writes',
  });
});
