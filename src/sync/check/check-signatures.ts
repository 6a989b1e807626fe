import { type Digest, isDigest } from '../../registry/oci/digest.ts';
import type { Reference, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { SignatureCheck } from '../../signatures/signature-check.ts';
import type { SignaturePlace } from '../../signatures/signature-search.ts';
import type { RepositoryName } from '../../signatures/signed-name.ts';
import type { ReportedImage } from '../report/report.ts';
import { reportedSignature } from '../report/signature-report.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import type { TagView } from './tag-view.ts';

/** The result of checking the signature of one tag. */
export type CheckedSignature = NonNullable<ReportedImage['signature']>;

/** Returns the result of checking a tag's signature, or undefined if the source does not have it, or it is a signature. */
export async function checkSignature(
  check: SignatureCheck,
  of: { readonly source: Registry; readonly image: Reference; readonly tag: Tag | Digest },
  view: TagView,
  signal: AbortSignal,
): Promise<CheckedSignature | undefined> {
  const { source, image, tag } = of;
  if (view.kind !== 'there' || isSignatureTag(tag)) return undefined;
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

/** An image at a destination, of which one architecture is wanted. */
interface InstalledImage {
  /** Its name at the source, to which a policy applies. */
  readonly name: RepositoryName;
  readonly tag: Tag;
  /** Its name at the destination. */
  readonly about: string;
  readonly digest: Digest;
  /** What a machine of the architecture may take from its index. Empty if it is no index. */
  readonly children: readonly Digest[];
  /** Where signatures may be, the likeliest first. */
  readonly places: readonly SignaturePlace[];
}

/**
 * Returns the result of checking the signature of an image for one architecture. The signature of its index covers all
 * that the index lists. An index that was cut to some platforms has no signature; then each image that a machine may
 * take from it needs one.
 */
export async function checkInstalledSignature(
  check: SignatureCheck,
  { digest, children, ...image }: InstalledImage,
  signal: AbortSignal,
): Promise<CheckedSignature> {
  const verify = async (one: Digest): Promise<CheckedSignature> =>
    reportedSignature(await check.check({ ...image, digests: [one] }, signal));
  const whole = await verify(digest);
  if (whole.status !== 'unverified' || children.length === 0) return whole;
  const each = await Promise.all(children.map(verify));
  const [first] = each;
  if (first !== undefined && each.every(({ status }) => status === 'verified')) return first;
  // The fault of a signature is a more useful reason than a missing signature.
  const isMissing = whole.reason?.code === 'SIGNATURE_MISSING';
  return (isMissing ? each.find(({ status }) => status === 'unverified') : undefined) ?? whole;
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
  if (status === 'exempt') return 'not verified, because the policy of its registry is "off"';
  return status === 'verified'
    ? `verified, signed by ${identity} (${issuer})`
    : (reason?.message ?? 'unverified');
}
