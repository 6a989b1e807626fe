import { beforeAll, expect, test } from 'vitest';
import { SigstoreVerifier } from '../../src/signatures/sigstore-verifier.ts';
import { TestSigstore } from '../support/sigstore/sigstore.ts';
import { refusalOf } from './bundle-cost.ts';
import { type HostileBundle, hostileBundles } from './hostile-bundles.ts';

let verifier: SigstoreVerifier;
let bundles: readonly HostileBundle[];
beforeAll(async () => {
  const [sigstore, stranger] = await Promise.all([TestSigstore.start(), TestSigstore.start()]);
  verifier = new SigstoreVerifier(sigstore.trustedRoot);
  bundles = await hostileBundles(sigstore, stranger);
});

// What each costs is printed by `make fuzz`.
test('a bundle that is made to keep its reader busy is refused for what is too much in it', () => {
  const told = bundles.map(({ name, bytes }) => [name, refusalOf(bytes, verifier)]);
  expect(told).toEqual(bundles.map((each) => [each.name, expect.stringContaining(each.told)]));
});
