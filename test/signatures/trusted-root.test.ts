import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { TRUSTED_ROOT_FILE } from '../../scripts/trusted-root.ts';
import { SigstoreVerifier } from '../../src/signatures/sigstore-verifier.ts';

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

test.each([['tlogs'], ['certificateAuthorities'], ['ctlogs']])(
  'a root without %s verifies nothing, so it is refused',
  (part) => {
    const root: unknown = { ...rootShape.loose().parse(pinned), [part]: [] };
    expect(() => new SigstoreVerifier(root)).toThrow('no certificate authority, no log');
  },
);
