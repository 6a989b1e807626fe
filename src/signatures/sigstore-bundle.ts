import { z } from 'zod';
import { parseJson } from '../lib/json.ts';
import { listOf, recordOf } from '../lib/zero-value.ts';
import { type Digest, digestAlgorithm, digestHex } from '../registry/oci/digest.ts';
import { type Candidate, shown, type Unfit, unfit } from './candidate.ts';

const BUNDLE_TYPE = /^application\/vnd\.dev\.sigstore\.bundle[.+]/;
const STATEMENT_TYPE = 'application/vnd.in-toto+json';

/**
 * What a statement may be to count as a signature: that of cosign, a record of who built, promoted or released it. Others
 * may tell anything of an image, also that it failed a test.
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
  subject: listOf(z.object({ digest: recordOf(z.string()) })),
  predicateType: z.string(),
});

/**
 * Reads a bundle as a signature of the manifest with that digest: of its bytes themselves, or a statement whose subject
 * it is. Nothing of it is verified here.
 */
export function readBundle(bytes: Buffer, digest: Digest, manifest: Buffer): Candidate | Unfit {
  const bundle = parseJson(bytes);
  const shape = bundleShape.safeParse(bundle);
  if (!shape.success) return unfit('it is no bundle that signs something');
  const candidate = { kind: 'candidate', form: 'bundle', bundle, signedName: undefined } as const;
  if ('messageSignature' in shape.data) return { ...candidate, artifact: manifest };
  const { payloadType, payload } = shape.data.dsseEnvelope;
  const statement = statementShape.safeParse(parseJson(Buffer.from(payload, 'base64')));
  if (payloadType !== STATEMENT_TYPE || !statement.success) return unfit('it is no statement of in-toto');
  const { subject, predicateType } = statement.data;
  if (!PREDICATES.test(predicateType)) {
    return unfit(`it is a statement of another kind, ${shown(predicateType, 100)}`);
  }
  const algorithm = digestAlgorithm(digest);
  const isOfImage = subject.some((one) => one.digest[algorithm] === digestHex(digest));
  return isOfImage ? { ...candidate, artifact: undefined } : unfit('it is a statement about something else');
}
