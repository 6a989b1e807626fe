import { afterEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../src/registry/oci/digest.ts';
import { readBundle } from '../../../src/signatures/sigstore-bundle.ts';
import { SigstoreVerifier } from '../../../src/signatures/sigstore-verifier.ts';
import { timestampedBundle } from './signature.ts';
import { TestSigstore } from './sigstore.ts';

const SIGNER = { identity: 'me@example.com', issuer: 'https://accounts.example.com' };

describe('a bundle with a timestamp verifies whenever the test Sigstore was started', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    '2026-01-31T23:59:59.000Z',
    '2026-01-31T23:59:59.010Z',
    '2026-01-31T23:59:59.500Z',
    '2026-01-31T23:59:59.999Z',
  ])('at %s', async (now) => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(now) });
    const sigstore = await TestSigstore.start();
    const manifest = Buffer.from('{}');
    const bundle = await timestampedBundle(sigstore, manifest, SIGNER);
    const candidate = readBundle(Buffer.from(JSON.stringify(bundle)), digestOf(manifest), manifest);
    if (candidate.kind !== 'candidate') throw new Error(candidate.reason);
    expect(new SigstoreVerifier(sigstore.trustedRoot).verify(candidate)).toEqual(SIGNER);
  });
});
