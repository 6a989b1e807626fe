import type { Bundle } from '@sigstore/bundle';
import { z } from 'zod';
import { eachOf } from '../lib/zero-value.ts';
import { requireSmallDer } from './der.ts';
import { Untrusted } from './untrusted.ts';

/** Real ones have one or two. Entries are compared with each other, and each costs a verification. */
const PROOFS_LIMIT = 8;
/** Real chains have up to four. */
const CERTIFICATES_LIMIT = 8;
/** A certificate has some 2,500 bytes and 200 values, a timestamp up to 5,500 and 400. */
const DER_LIMIT = { bytes: 16_384, values: 1000 };
/** What is logged of a statement has some 4,500 bytes. */
const BODY_LIMIT = 65_536;
const CHECKPOINT_LIMIT = 16_384;
/** Of the log and of those who witness its states. */
const CHECKPOINT_SIGNERS_LIMIT = 32;
/** A log with 2^64 entries would need that many. */
const HASHES_LIMIT = 64;
const SIGNATURE_LIMIT = 4096;

function text(bytes: number): z.ZodType {
  // Base64 has four letters for three bytes.
  return z.string().max(Math.ceil(bytes / 3) * 4);
}

/** Stops at the first item too many, because the author of the list may have made it very long. */
function list(item: z.ZodType, most: number): z.ZodType {
  return z.custom<unknown[]>((value) => Array.isArray(value) && value.length <= most).pipe(eachOf(item));
}

function some(shape: z.core.$ZodLooseShape): z.ZodType {
  return z.looseObject(shape).nullish();
}

const certificate = some({ rawBytes: text(DER_LIMIT.bytes).nullish() });

/** How large each part of a bundle may be. This is read before the signature is verified, so it checks only sizes. */
const boundsShape = z.looseObject({
  messageSignature: some({ signature: text(SIGNATURE_LIMIT).nullish() }),
  dsseEnvelope: some({
    signatures: list(some({ sig: text(SIGNATURE_LIMIT).nullish() }), PROOFS_LIMIT).nullish(),
  }),
  verificationMaterial: some({
    certificate,
    x509CertificateChain: some({ certificates: list(certificate, CERTIFICATES_LIMIT).nullish() }),
    tlogEntries: list(
      some({
        canonicalizedBody: text(BODY_LIMIT).nullish(),
        inclusionPromise: some({ signedEntryTimestamp: text(SIGNATURE_LIMIT).nullish() }),
        inclusionProof: some({
          hashes: list(text(64), HASHES_LIMIT).nullish(),
          checkpoint: some({ envelope: z.string().max(CHECKPOINT_LIMIT).nullish() }),
        }),
      }),
      PROOFS_LIMIT,
    ).nullish(),
    timestampVerificationData: some({
      rfc3161Timestamps: list(
        some({ signedTimestamp: text(DER_LIMIT.bytes).nullish() }),
        PROOFS_LIMIT,
      ).nullish(),
    }),
  }),
});

/** Throws `Untrusted` if a part of a bundle is larger than any real one, before a reader makes objects of it. */
export function refuseLargeParts(bundle: unknown): void {
  const bounds = boundsShape.safeParse(bundle);
  if (bounds.success) return;
  const place = bounds.error.issues[0]?.path.filter((part) => typeof part === 'string').join('.');
  throw new Untrusted(`a part of it is larger than in any real bundle: ${place || 'the whole bundle'}`);
}

function requireSmall(what: string, bytes: Buffer): void {
  try {
    requireSmallDer(bytes, DER_LIMIT.values);
  } catch (cause) {
    throw new Untrusted(`${what} is malformed, or larger than any real one`, { cause });
  }
}

/** Throws `Untrusted` if a certificate, timestamp or checkpoint would keep its reader busy for long. */
export function refuseCostlyParts({ verificationMaterial }: Bundle, certificates: readonly Buffer[]): void {
  const { tlogEntries, timestampVerificationData } = verificationMaterial;
  for (const certificate of certificates) requireSmall('its certificate', certificate);
  for (const { signedTimestamp } of timestampVerificationData?.rfc3161Timestamps ?? []) {
    requireSmall('its timestamp', signedTimestamp);
  }
  for (const { inclusionProof } of tlogEntries) {
    const lines = inclusionProof?.checkpoint?.envelope.match(/\u2014/g) ?? [];
    if (lines.length > CHECKPOINT_SIGNERS_LIMIT) {
      throw new Untrusted('its log has more witnesses than any real one');
    }
  }
}
