import { z } from 'zod';
import { parseJson } from '../lib/json.ts';
import { eachOf, fieldOf, listOf, recordOf, TEXT_FIELD } from '../lib/zero-value.ts';
import { type Digest, digestAlgorithm, digestHex } from '../registry/oci/digest.ts';
import { type Candidate, shown, type Unfit, unfit } from './candidate.ts';
import type { SignedNames } from './signed-name.ts';

const BUNDLE_TYPE = /^application\/vnd\.dev\.sigstore\.bundle[.+]/;
const STATEMENT_TYPE = 'application/vnd.in-toto+json';

/** The type of statement that contains the name and tags under which Kubernetes promoted an image. */
const PROMOTION = 'https://k8s.io/promo-tools/promotion/v1';

/**
 * The kinds of statements that are accepted as a signature: that of cosign, and a record of who built, promoted or
 * released an image. Others may contain anything about an image, also that it failed a test.
 */
const PREDICATES =
  /^https:\/\/(?:sigstore\.dev\/cosign\/sign\/v1|slsa\.dev\/provenance\/v\d[\d.]*|k8s\.io\/promo-tools\/promotion\/v1|in-toto\.io\/attestation\/release\/v\d[\d.]*)$/;

/** Returns whether a media type is that of a Sigstore bundle. */
export function isBundleType(mediaType: string): boolean {
  return BUNDLE_TYPE.test(mediaType);
}

const bundleShape = z.union([
  z.object({ messageSignature: z.looseObject({}) }),
  z.object({ dsseEnvelope: z.object({ payloadType: z.string(), payload: z.string() }) }),
]);

const statementShape = z.object({
  subject: listOf(z.object({ name: TEXT_FIELD, digest: recordOf(z.string()) })),
  predicateType: z.string(),
  predicate: z.unknown().optional(),
});

/** https://github.com/kubernetes-sigs/promo-tools/blob/main/docs/promotion-predicate.md */
const promotionShape = z.object({
  dstRef: TEXT_FIELD,
  digest: TEXT_FIELD,
  tags: fieldOf(eachOf(z.string())),
  destination: fieldOf(z.object({ name: TEXT_FIELD, digest: recordOf(z.string()) })),
});

/**
 * Reads a bundle as a signature of the manifest with that digest: of its bytes themselves, or a statement whose subject
 * it is. Nothing is verified here.
 */
export function readBundle(bytes: Buffer, digest: Digest, manifest: Buffer): Candidate | Unfit {
  const bundle = parseJson(bytes);
  const shape = bundleShape.safeParse(bundle);
  if (!shape.success) return unfit('it is not a bundle with a signature');
  const candidate = { kind: 'candidate', form: 'bundle', bundle } as const;
  if ('messageSignature' in shape.data) return { ...candidate, artifact: manifest, names: { claims: [] } };
  const { payloadType, payload } = shape.data.dsseEnvelope;
  const statement = statementShape.safeParse(parseJson(Buffer.from(payload, 'base64')));
  if (payloadType !== STATEMENT_TYPE || !statement.success) return unfit('it is not an in-toto statement');
  const { subject, predicateType, predicate } = statement.data;
  if (!PREDICATES.test(predicateType)) {
    return unfit(`it is a statement of another kind, ${shown(predicateType, 100)}`);
  }
  const own = subject.filter((one) => one.digest[digestAlgorithm(digest)] === digestHex(digest));
  if (own.length === 0) return unfit('it is a statement about another image');
  const claim = own.flatMap(({ name }) => name ?? []);
  if (predicateType !== PROMOTION) return { ...candidate, artifact: undefined, names: { claims: [claim] } };
  const promotion = readPromotion(predicate, digest);
  if ('kind' in promotion) return promotion;
  const names = { ...promotion, claims: [claim, ...promotion.claims] };
  return { ...candidate, artifact: undefined, names };
}

function readPromotion(predicate: unknown, digest: Digest): SignedNames | Unfit {
  const promotion = promotionShape.safeParse(predicate ?? {});
  if (!promotion.success) return unfit('it is not a promotion record');
  const { dstRef, tags, digest: promoted = digest, destination } = promotion.data;
  const stored = destination?.digest[digestAlgorithm(digest)] ?? digestHex(digest);
  if (promoted !== digest || stored !== digestHex(digest))
    return unfit('it is the promotion of another image');
  return {
    claims: [dstRef, destination?.name].flatMap((name) => (name === undefined ? [] : [[name]])),
    tags,
  };
}
