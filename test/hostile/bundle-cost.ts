import { setImmediate as otherWork } from 'node:timers/promises';
import { failureCode } from '../../src/lib/failure.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { readBundle } from '../../src/signatures/sigstore-bundle.ts';
import { SigstoreVerifier } from '../../src/signatures/sigstore-verifier.ts';
import { TestSigstore } from '../support/sigstore/sigstore.ts';
import { MANIFEST } from '../support/sigstore/vector.ts';
import { type HostileBundle, hostileBundles } from './hostile-bundles.ts';

const KIBIBYTE = 1024;
/** For how many milliseconds nothing else may be done. */
const LONGEST_HOLD = 200;

/** Returns why a bundle does not count: our own words, or the library's code. */
export function refusalOf(bytes: Buffer, verifier: SigstoreVerifier): string {
  const read = readBundle(bytes, digestOf(MANIFEST), MANIFEST);
  if (read.kind === 'unfit') return read.reason;
  try {
    verifier.verify(read);
    return 'accepted';
  } catch (error) {
    const code = failureCode(error);
    if (code !== 'UNEXPECTED') return code;
    return error instanceof Error ? error.message : String(error);
  }
}

function taken(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function measure({ bytes }: HostileBundle, verifier: SigstoreVerifier) {
  const before = taken();
  const began = performance.now();
  const told = refusalOf(bytes, verifier);
  return { told, hold: performance.now() - began, memory: Math.max(0, taken() - before) };
}

/** Judges all hostile bundles whose names hold a text, and prints what each took. Returns how many took too much. */
export async function printBundleCosts(
  only: string,
): Promise<{ readonly tried: number; readonly broken: number }> {
  const [sigstore, stranger] = await Promise.all([TestSigstore.start(), TestSigstore.start()]);
  const verifier = new SigstoreVerifier(sigstore.trustedRoot);
  const all = await hostileBundles(sigstore, stranger);
  const chosen = all.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) return { tried: 0, broken: 0 };
  console.log(`${chosen.length} bundles that are made to keep their reader busy`);
  let broken = 0;
  for (const bundle of chosen) {
    await otherWork();
    const { told, hold, memory } = measure(bundle, verifier);
    const isBounded = told.includes(bundle.told) && hold <= LONGEST_HOLD;
    if (!isBounded) broken += 1;
    const numbers = [
      `${(bundle.bytes.length / KIBIBYTE).toFixed(0)} KiB`.padStart(9),
      `held ${hold.toFixed(1)} ms`.padStart(14),
      `memory ${(memory / KIBIBYTE).toFixed(0)} KiB`.padStart(18),
    ];
    console.log(`${isBounded ? 'holds ' : 'BROKEN'} ${numbers.join(' ')}  ${bundle.name}`);
    if (!told.includes(bundle.told)) console.error(told);
  }
  return { tried: chosen.length, broken };
}
