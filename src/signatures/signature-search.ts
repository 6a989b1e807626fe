import { failureCode } from '../lib/failure.ts';
import { type Digest, digestAlgorithm, digestHex } from '../registry/oci/digest.ts';
import type { Descriptor, Manifest } from '../registry/oci/manifest.ts';
import { parseTag, type Repository, type Tag } from '../registry/oci/reference.ts';
import { listReferrers } from '../registry/referrers.ts';
import type { Registry } from '../registry/registry.ts';
import { isNotFound, mayBeAbsent } from '../registry/registry-failure.ts';
import { readBlob } from '../registry/small-blob.ts';
import { type Candidate, type Unfit, unfit } from './candidate.ts';
import { COSIGN_PAYLOAD, readCosignLayer } from './cosign-layer.ts';
import { isBundleType, readBundle } from './sigstore-bundle.ts';

/** A repository that may hold the signatures of an image. */
export interface SignaturePlace {
  readonly registry: Registry;
  readonly repository: Repository;
}

/** A signature that could not be fetched; it may be the very one that is accepted. */
interface Unread {
  readonly kind: 'unread';
  readonly error: unknown;
}

/** There may be more signatures, which were not read. */
interface Rest {
  readonly kind: 'rest';
}

type Found = AsyncGenerator<Candidate | Unfit | Unread, void, undefined>;

/** Real ones have a kilobyte, a bundle with a statement some ten. */
const SIZE_LIMIT = 1024 * 1024;
/** Far beyond any real image; a registry that lies must not keep a run busy. */
const CANDIDATES_LIMIT = 64;

/**
 * Finds possible signatures of the manifest with a digest, one after the other so that nothing is fetched in vain: the
 * layers of cosign's tag, then the bundles that refer to it. Ends after as many as any real image could have.
 */
export async function* findSignatures(
  place: SignaturePlace,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<Candidate | Unfit | Unread | Rest, void, undefined> {
  let count = 0;
  for (const search of [cosignLayers, bundles]) {
    for await (const found of search(place, digest, signal)) {
      count += 1;
      yield found;
      if (count >= CANDIDATES_LIMIT) return yield { kind: 'rest' };
    }
  }
}

async function* cosignLayers(place: SignaturePlace, digest: Digest, signal: AbortSignal): Found {
  // The tag of a longer digest would be longer than tags may be.
  if (digestAlgorithm(digest) !== 'sha256') return;
  // By tag and never by its digest: mirrors behind registry.k8s.io may lack that. https://github.com/kubernetes/registry.k8s.io/issues/324
  const tag = parseTag(`sha256-${digestHex(digest)}.sig`);
  const manifest = await attempt(() => getIfThere(place, tag, signal), signal);
  if (manifest === undefined) return;
  if (manifest.kind === 'unread' || manifest.kind === 'unfit') return yield manifest;
  for (const layer of layersOf(manifest, (type) => type === COSIGN_PAYLOAD)) {
    const read = async () => {
      const payload = await readSmall(place, layer, signal);
      return Buffer.isBuffer(payload)
        ? readCosignLayer({ annotations: layer.annotations, payload }, digest)
        : payload;
    };
    yield attempt(read, signal);
  }
}

async function* bundles(place: SignaturePlace, digest: Digest, signal: AbortSignal): Found {
  const { registry, repository } = place;
  const referrers = await attempt(() => listReferrers(registry, repository, digest, signal), signal);
  if (!Array.isArray(referrers)) return yield referrers;
  let signed: Promise<Manifest> | undefined;
  const likely = referrers.filter(
    ({ artifactType }) => artifactType === undefined || isBundleType(artifactType),
  );
  for (const { digest: own } of likely.slice(0, CANDIDATES_LIMIT)) {
    const manifest = await attempt(() => registry.getManifest(repository, own, signal), signal);
    if (manifest.kind === 'unread' || manifest.kind === 'unfit') {
      yield manifest;
      continue;
    }
    for (const layer of layersOf(manifest, isBundleType)) {
      const read = async () => {
        const bytes = await readSmall(place, layer, signal);
        if (!Buffer.isBuffer(bytes)) return bytes;
        signed ??= registry.getManifest(repository, digest, signal);
        return readBundle(bytes, digest, (await signed).bytes);
      };
      yield attempt(read, signal);
    }
  }
}

function layersOf(manifest: Manifest, isWanted: (mediaType: string) => boolean): readonly Descriptor[] {
  return manifest.kind === 'image' ? manifest.layers.filter(({ mediaType }) => isWanted(mediaType)) : [];
}

async function getIfThere(
  { registry, repository }: SignaturePlace,
  tag: Tag,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  try {
    return await registry.getManifest(repository, tag, signal);
  } catch (error) {
    if (mayBeAbsent(error)) return undefined;
    throw error;
  }
}

async function readSmall(
  { registry, repository }: SignaturePlace,
  layer: Descriptor,
  signal: AbortSignal,
): Promise<Buffer | Unfit> {
  if (layer.size > SIZE_LIMIT) return unfit('it is larger than any real signature');
  try {
    return await readBlob(registry, repository, layer, signal);
  } catch (error) {
    if (failureCode(error) === 'DIGEST_MISMATCH') return unfit('its content was altered');
    throw error;
  }
}

/** A signature that cannot be fetched now must not hide another one that can. */
async function attempt<Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result | Unfit | Unread> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    // Some places of registry.k8s.io list signatures that they do not have. https://github.com/kubernetes-sigs/promo-tools/issues/1949
    if (isNotFound(error)) return unfit('the registry lists it, but does not have it');
    return { kind: 'unread', error };
  }
}
