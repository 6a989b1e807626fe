import { type Digest, isDigest } from '../../registry/oci/digest.ts';
import type { Reference, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { SignatureCheck } from '../../signatures/signature-check.ts';
import type { ReportedImage } from '../report/report.ts';
import { reportedSignature } from '../report/signature-report.ts';
import type { TagView } from './tag-view.ts';

/** The result of checking the signature of one tag. */
export type CheckedSignature = NonNullable<ReportedImage['signature']>;

/** Returns the result of checking a tag's signature, or undefined if the source does not have the tag. */
export async function checkSignature(
  check: SignatureCheck,
  of: { readonly source: Registry; readonly image: Reference; readonly tag: Tag | Digest },
  view: TagView,
  signal: AbortSignal,
): Promise<CheckedSignature | undefined> {
  if (view.kind !== 'there') return undefined;
  const { source, image, tag } = of;
  const { repository } = image;
  const asked = {
    name: image,
    tag: isDigest(tag) ? undefined : tag,
    about: source.nameOf(repository, tag),
    digests: [view.digest],
    places: [{ registry: source, repository }],
  };
  return reportedSignature(await check.check(asked, signal));
}

/** Returns whether all signatures are verified or exempt, or not required. */
export function areSignaturesFine(checked: {
  readonly tags: readonly { readonly signature?: CheckedSignature | undefined }[];
  readonly requiresSignatures: boolean;
}): boolean {
  return (
    !checked.requiresSignatures || checked.tags.every(({ signature }) => signature?.status !== 'unverified')
  );
}

/** Returns the result of checking a signature in words. */
export function describeSignature({ status, identity, issuer, reason }: CheckedSignature): string {
  if (status === 'exempt') return 'not asked for, as its registry is "off"';
  return status === 'verified' ? `verified, of ${identity} (${issuer})` : (reason?.message ?? 'unverified');
}
