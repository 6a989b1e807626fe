import { digestAlgorithm, digestOf, isDigest } from '../../../src/registry/oci/digest.ts';
import {
  isForeignLayer,
  MANIFEST_SIZE_LIMIT,
  type Manifest,
  parseManifest,
} from '../../../src/registry/oci/manifest.ts';
import { isManifestMediaType, MEDIA_TYPE } from '../../../src/registry/oci/media-type.ts';
import { isTag } from '../../../src/registry/oci/reference.ts';
import { type Answer, empty, json, refusal, text } from './answer.ts';
import { type Exchange, headerOf, readBody } from './exchange.ts';
import type { Quirks } from './quirks.ts';
import type { Storage } from './storage.ts';

/** GET and HEAD. A type that the client does not accept is answered 404, as distribution does. */
export function serveManifest(exchange: Exchange, storage: Storage, quirks: Quirks): Answer {
  const { repository, reference, method } = exchange.entry;
  const stored = storage.manifest(repository, reference);
  if (stored === undefined) {
    if (quirks.absentManifest !== undefined) return refusal(quirks.absentManifest, 'DENIED');
    return refusal(404, storage.repositories.has(repository) ? 'MANIFEST_UNKNOWN' : 'NAME_UNKNOWN');
  }
  const accepted = (headerOf(exchange, 'accept') ?? '').split(',').map((type) => type.split(';')[0]?.trim());
  if (!accepted.includes(stored.mediaType) && !accepted.includes('*/*')) {
    return refusal(404, 'MANIFEST_UNKNOWN', 'the manifest has a type that the client does not support');
  }
  const hidesDigest = method === 'HEAD' && quirks.noDigestOnHead === true;
  return {
    status: 200,
    headers: {
      'content-type': stored.mediaType,
      ...(hidesDigest ? {} : { 'docker-content-digest': stored.digest }),
    },
    body: { kind: 'bytes', bytes: stored.bytes },
  };
}

/** PUT, as strict as the strictest registry: type, size, digest and all that the manifest names must be right. */
export async function acceptManifest(exchange: Exchange, storage: Storage, quirks: Quirks): Promise<Answer> {
  const { repository, reference } = exchange.entry;
  const mediaType = headerOf(exchange, 'content-type') ?? '';
  const bytes = await readBody(exchange, MANIFEST_SIZE_LIMIT);
  if (bytes === undefined) return refusal(400, 'MANIFEST_INVALID', 'the manifest is too large');
  if (quirks.repositoriesMustExist === true && !storage.repositories.has(repository)) {
    return refusal(404, 'NAME_UNKNOWN');
  }
  if (!isManifestMediaType(mediaType)) return refusal(400, 'MANIFEST_INVALID', 'unknown content type');
  let manifest: Manifest;
  try {
    manifest = parseManifest(bytes, mediaType, reference);
  } catch (error) {
    return refusal(400, 'MANIFEST_INVALID', String(error));
  }
  if (manifest.mediaType !== mediaType) {
    return refusal(400, 'MANIFEST_INVALID', 'Content-Type and mediaType differ');
  }
  return (
    refuseQuirkily(manifest, quirks) ??
    refuseIncomplete(repository, manifest, storage, quirks) ??
    storeManifest(repository, reference, manifest, storage, quirks)
  );
}

/** DELETE of a manifest, or of a tag alone. */
export function deleteManifest(exchange: Exchange, storage: Storage, quirks: Quirks): Answer {
  const { repository, reference } = exchange.entry;
  if (quirks.refuseDelete === true) return refusal(405, 'UNSUPPORTED');
  const isGone = isDigest(reference)
    ? storage.deleteManifest(repository, reference)
    : storage.deleteTag(repository, reference);
  return isGone ? empty(202) : refusal(404, 'MANIFEST_UNKNOWN');
}

/** Lists what has a manifest for its subject; most registries do not. */
export function listReferrers({ entry }: Exchange, storage: Storage, quirks: Quirks): Answer {
  if (quirks.referrersApi !== true) return text(404, '404 page not found\n');
  const stored = [...(storage.repositories.get(entry.repository)?.manifests.values() ?? [])];
  const manifests = stored.flatMap(({ bytes, digest, mediaType }) => {
    const { subject, artifactType }: { subject?: { digest?: string }; artifactType?: string } = JSON.parse(
      bytes.toString('utf8'),
    );
    return subject?.digest === entry.reference
      ? [{ mediaType, digest, size: bytes.length, artifactType }]
      : [];
  });
  return json(
    200,
    { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests },
    { 'content-type': MEDIA_TYPE.ociIndex },
  );
}

function refuseQuirkily(manifest: Manifest, quirks: Quirks): Answer | undefined {
  if (quirks.refuseOciIndex === true && manifest.mediaType === MEDIA_TYPE.ociIndex) {
    return refusal(400, 'MANIFEST_INVALID', "Invalid image, fail to parse 'manifest.json'");
  }
  if (quirks.refuseDocker === true && manifest.mediaType.includes('docker')) {
    return refusal(415, 'MANIFEST_INVALID', 'manifest invalid');
  }
  if (manifest.kind !== 'image') return undefined;
  const { mediaType } = manifest.config;
  const isRefused = quirks.refuseConfigTypes?.includes(mediaType) === true;
  return isRefused ? refusal(400, 'DENIED', `unknown manifest class for ${mediaType}`) : undefined;
}

function refuseIncomplete(
  repository: string,
  manifest: Manifest,
  storage: Storage,
  quirks: Quirks,
): Answer | undefined {
  if (manifest.kind === 'index' && quirks.sparseIndexes === true) return undefined;
  const missing =
    manifest.kind === 'index'
      ? manifest.manifests.find(
          ({ digest }) =>
            storage.manifest(repository, digest) === undefined &&
            storage.blob(repository, digest) === undefined,
        )
      : [manifest.config, ...manifest.layers].find(
          (blob) => !isForeignLayer(blob) && storage.blob(repository, blob.digest) === undefined,
        );
  return missing === undefined ? undefined : refusal(400, 'MANIFEST_BLOB_UNKNOWN', missing.digest);
}

function storeManifest(
  repository: string,
  reference: string,
  manifest: Manifest,
  storage: Storage,
  quirks: Quirks,
): Answer {
  const algorithm = isDigest(reference) ? digestAlgorithm(reference) : 'sha256';
  const digest = digestOf(manifest.bytes, algorithm);
  if (isDigest(reference) && digest !== reference) return refusal(400, 'DIGEST_INVALID');
  if (!isDigest(reference) && !isTag(reference)) return refusal(400, 'TAG_INVALID');
  const known = storage.repositories.get(repository)?.tags.get(reference);
  if (quirks.immutableTags !== undefined && known !== undefined && known !== digest) {
    return refusal(quirks.immutableTags, 'TAG_IMMUTABLE', 'the tag is immutable');
  }
  const tags = isDigest(reference) ? [] : [reference];
  storage.putManifest(repository, manifest.bytes, manifest.mediaType, tags, Date.now(), digest);
  const location = `/v2/${repository}/manifests/${digest}`;
  const { subject }: { subject?: { digest?: string } } = JSON.parse(manifest.bytes.toString('utf8'));
  const isListed = quirks.referrersApi === true && subject?.digest !== undefined;
  return empty(201, {
    location,
    'docker-content-digest': digest,
    ...(isListed ? { 'oci-subject': subject.digest } : {}),
  });
}
