import fc from 'fast-check';
import { SigstoreVerifier } from '../../src/signatures/sigstore-verifier.ts';
import { REKOR_2 } from '../support/sigstore/signature.ts';
import { TestSigstore } from '../support/sigstore/sigstore.ts';
import { bundleOf, MANIFEST, SIGNER } from '../support/sigstore/vector.ts';
import { type Property, property, require } from './property.ts';

/** A text somewhere in a value, by the names that lead to it. */
type Place = readonly string[];

function placesOf(value: unknown, before: Place = []): Place[] {
  if (typeof value === 'string') return [before];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, held]) => placesOf(held, [...before, name]));
}

function changed(value: unknown, [name, ...rest]: Place, change: (text: string) => string): unknown {
  if (name === undefined) return change(String(value));
  if (Array.isArray(value)) {
    return value.map((held, at) => (String(at) === name ? changed(held, rest, change) : held));
  }
  const entries = Object.entries(Object(value));
  return Object.fromEntries(
    entries.map(([key, held]) => [key, key === name ? changed(held, rest, change) : held]),
  );
}

/** Alters one byte, of what a text encodes where it is base64. */
function altered(text: string, at: number, by: number): string {
  const isEncoded = /^[A-Za-z0-9+/]{8,}={0,2}$/.test(text);
  const bytes = Buffer.from(text, isEncoded ? 'base64' : 'utf8');
  if (bytes.length === 0) return String(by);
  const index = at % bytes.length;
  bytes.writeUInt8(bytes.readUInt8(index) ^ by, index);
  return bytes.toString(isEncoded ? 'base64' : 'utf8');
}

const prepared = TestSigstore.start().then(async (sigstore) => {
  const form = { ...REKOR_2, hasPromise: true };
  const bundles = await Promise.all(
    (['message', 'statement'] as const).map((content) => bundleOf(sigstore, { content, form })),
  );
  return { verifier: new SigstoreVerifier(sigstore.trustedRoot), bundles };
});

export const SIGNATURE_PROPERTIES: readonly Property[] = [
  property(
    'a bundle of which a byte was altered is refused, or names who signed it',
    fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 })),
    async ([which, where, at, by]) => {
      const { verifier, bundles } = await prepared;
      const original = bundles[which % bundles.length];
      const places = placesOf(original);
      const place = places[where % places.length] ?? [];
      const bundle = changed(original, place, (text) => altered(text, at, by));
      const artifact = original?.messageSignature === undefined ? undefined : MANIFEST;
      let identity: string;
      try {
        const found = verifier.verify({
          kind: 'candidate',
          form: 'bundle',
          bundle,
          artifact,
          names: { claims: [] },
        });
        identity = `${found.identityKind} ${found.identity} ${found.issuer}`;
      } catch (error) {
        require(error instanceof Error && error.message !== '', 'it is refused without a word');
        return;
      }
      require(identity === `email ${SIGNER.identity} ${SIGNER.issuer}`, `it names ${identity}`);
    },
  ),
];
