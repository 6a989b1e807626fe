import { EMPTY_IMAGE_SET, type ImageSet } from '../config/image-set.ts';
import { Failure } from '../lib/failure.ts';
import type { Digest } from '../registry/digest.ts';
import type { Reference, Tag } from '../registry/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { SignatureCheck } from '../signatures/signature-check.ts';
import type { SignatureVerdict } from '../signatures/verdict.ts';
import type { ReportedImage } from './report.ts';
import type { SyncSettings } from './settings.ts';
import { reportedSignature } from './signature-report.ts';
import type { TagView } from './tag-view.ts';

/** What was found out about the signature of one tag. */
export type CheckedSignature = NonNullable<ReportedImage['signature']>;

/** Gives what finds out about the signatures of an image at its source; undefined where none are asked for. */
export async function openSignatures(
  { verifySignatures, trustedRoot, imageSet }: SyncSettings,
  set: ImageSet = EMPTY_IMAGE_SET,
): Promise<SignatureCheck | undefined> {
  if (verifySignatures === 'off') return undefined;
  const check = new SignatureCheck({ policies: set.signatures, trustedRoot, file: imageSet });
  await check.prepare();
  return check;
}

/** Finds out about the signature of a tag that the source has. What cannot be found out is told, and no failure. */
export async function checkSignature(
  check: SignatureCheck,
  {
    source,
    image,
    tag,
  }: { readonly source: Registry; readonly image: Reference; readonly tag: Tag | Digest },
  view: TagView,
  signal: AbortSignal,
): Promise<CheckedSignature | undefined> {
  if (view.kind !== 'there') return undefined;
  const { repository } = image;
  const asked = {
    name: image,
    about: source.nameOf(repository, tag),
    digests: [view.digest],
    places: [{ registry: source, repository }],
  };
  const verdict = await check.check(asked, signal).catch((error: unknown): SignatureVerdict => {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return { kind: 'unverified', failure: error };
  });
  return reportedSignature(verdict);
}

/** Tells whether nothing is wrong with the signatures of what was looked at, where they are required. */
export function areSignaturesFine(checked: {
  readonly tags: readonly { readonly signature?: CheckedSignature | undefined }[];
  readonly requiresSignatures: boolean;
}): boolean {
  return (
    !checked.requiresSignatures || checked.tags.every(({ signature }) => signature?.status !== 'unverified')
  );
}

/** Gives what is known of a signature in words. */
export function describeSignature({ status, identity, issuer, reason }: CheckedSignature): string {
  if (status === 'exempt') return 'not asked for, as its registry is "off"';
  return status === 'verified' ? `verified, of ${identity} (${issuer})` : (reason?.message ?? 'unverified');
}
