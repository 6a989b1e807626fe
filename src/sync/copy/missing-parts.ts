import { Failure, failureCode } from '../../lib/failure.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import { joinWords } from '../../lib/text/sentence.ts';
import { hasBlob } from '../../registry/blob-presence.ts';
import { abbreviateDigest, type Digest } from '../../registry/oci/digest.ts';
import {
  type Descriptor,
  type Image,
  isForeignLayer,
  type Manifest,
  type ToldManifest,
} from '../../registry/oci/manifest.ts';
import { isBlobMediaType, mayBeIndexType } from '../../registry/oci/media-type.ts';
import { formatPlatform } from '../../registry/oci/platform.ts';
import type { Repository, Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound, isRefusedQuestion, mayBeAbsent } from '../../registry/registry-failure.ts';
import type { Extent } from '../plan/decision.ts';
import type { PlannedImage } from '../plan/planning.ts';
import { requireReasonable } from './index-limits.ts';

/** Something below a tag that a registry does not have. */
export interface MissingPart {
  readonly kind: 'manifest' | 'configuration' | 'layer';
  readonly digest: Digest;
  /** For a layer: its number, counted from 1, and the number of all layers. */
  readonly position?: { readonly number: number; readonly of: number } | undefined;
  /** The platform of the image that it belongs to, if an index names it. */
  readonly platform?: string | undefined;
  /** The digests of the manifests below the tag that lead to it, and its own if it is one. */
  readonly path: readonly Digest[];
}

/** What a registry has below a tag. */
export interface PartsBelow {
  /** The numbers of images and of different configurations and layers that were checked. */
  readonly images: number;
  readonly blobs: number;
  readonly missing: readonly MissingPart[];
  /** How many foreign layers are not there. The manifests contain their addresses. */
  readonly elsewhere: number;
  /** The number of configurations and layers for which the registry refuses an answer. They may be there. */
  readonly untold: number;
  /** The number of manifests that it refuses to show, so that it is unknown what they list. */
  readonly unshown: number;
}

/** Where a manifest is: its platform, for its name in messages, and the path that leads to it. */
type Position = Pick<MissingPart, 'platform' | 'path'>;

/** What is looked for. */
interface Search {
  /** Chooses among what an index lists. */
  readonly wants: (listed: Descriptor) => boolean;
  readonly extent: Exclude<Extent, 'tag'>;
  /** The tag above it. `unasked` names it if something below could not be checked. */
  readonly tag?: Tag | undefined;
}

/** A manifest that was read, or what is known about one that was not. */
type Seen = Manifest | 'there' | 'missing' | 'unshown';

interface Sight {
  readonly seen: Set<Digest>;
  readonly missing: MissingPart[];
  readonly blobs: Map<Digest, boolean | undefined>;
  readonly elsewhere: Set<Digest>;
  images: number;
  unshown: number;
}

const MANIFESTS_KEPT = { results: 2000, weight: 32 * 1024 * 1024, weigh: weightOf };
const ANSWERS_KEPT = { results: 50_000 };

/**
 * Looks below tags of one registry: garbage collections and retention rules may remove parts of an image and leave its
 * tag. It requests each part of a repository once.
 */
export class PartsSearch {
  /** The names of tags below which something could not be checked, and why. Only with the extent `manifests`. */
  readonly unasked = new Map<string, unknown>();
  readonly #registry: Registry;
  readonly #signal: AbortSignal;
  readonly #manifests = new SingleFlight<string, Seen>(MANIFESTS_KEPT);
  readonly #claims = new SingleFlight<string, Seen>(ANSWERS_KEPT);
  readonly #blobs = new SingleFlight<string, boolean | undefined>(ANSWERS_KEPT);

  constructor(registry: Registry, signal: AbortSignal) {
    this.#registry = registry;
    this.#signal = signal;
  }

  /**
   * Returns what the registry has of an image, after it answered for its tag, and of all that its index lists. This
   * takes one request for each manifest, configuration and layer. With the extent `manifests`, it requests only what
   * indexes list, by `HEAD`, and no configuration or layer; what fails is `unshown`. Throws the failure of a request,
   * and `INDEX_UNREASONABLE`.
   */
  async lookBelow(
    repository: Repository,
    digest: Digest,
    { wants = () => true, extent = 'parts', tag }: Partial<Search> = {},
  ): Promise<PartsBelow> {
    const sight: Sight = {
      seen: new Set([digest]),
      missing: [],
      blobs: new Map(),
      elsewhere: new Set(),
      images: 0,
      unshown: 0,
    };
    // Its own type is unknown here, so that it is treated as a possible index.
    const whole = { digest, mediaType: '' };
    await this.#look(repository, whole, { path: [] }, { sight, depth: 0, wants, extent, tag });
    const untold = [...sight.blobs.values()].filter((isThere) => isThere === undefined).length;
    const { images, blobs, missing, elsewhere, unshown } = sight;
    return { images, blobs: blobs.size, missing, elsewhere: elsewhere.size, untold, unshown };
  }

  async #look(
    repository: Repository,
    { digest, mediaType }: ToldManifest,
    position: Position,
    search: Search & { readonly sight: Sight; readonly depth: number },
  ): Promise<void> {
    const { sight, depth, wants, extent, tag } = search;
    const isRead = extent === 'parts' || mayBeIndexType(mediaType);
    const asking = isRead ? this.#manifest(repository, digest, depth > 0) : this.#claim(repository, digest);
    const manifest = await asking.catch((error: unknown): Seen => {
      this.#signal.throwIfAborted();
      // The tag is right, and no more was to be checked. Only a check of all parts has to be certain.
      if (extent === 'parts' || !(error instanceof HttpFailure)) throw error;
      this.unasked.set(this.#registry.nameOf(repository, tag ?? digest), error);
      return 'unshown';
    });
    if (manifest === 'missing') sight.missing.push({ kind: 'manifest', digest, ...position });
    if (manifest === 'unshown') sight.unshown += 1;
    if (typeof manifest === 'string') return;
    if (manifest.kind === 'image') {
      if (extent === 'parts') await this.#lookAtImage(repository, manifest, position, sight);
      return;
    }
    requireReasonable(manifest, depth, sight.seen, this.#registry.nameOf(repository, digest));
    const fresh = manifest.manifests.filter((listed) => wants(listed) && !sight.seen.has(listed.digest));
    for (const listed of fresh) sight.seen.add(listed.digest);
    const looks = fresh.map((listed) => {
      const platform = listed.platform === undefined ? position.platform : formatPlatform(listed.platform);
      const below = { platform, path: [...position.path, listed.digest] };
      if (isBlobMediaType(listed.mediaType)) {
        if (extent === 'manifests') return undefined;
        return this.#lookAtBlob(repository, listed, { kind: 'layer', ...position }, sight);
      }
      return this.#look(repository, listed, below, { ...search, depth: depth + 1 });
    });
    await Promise.all(looks);
  }

  async #lookAtImage(
    repository: Repository,
    { config, layers }: Image,
    position: Position,
    sight: Sight,
  ): Promise<void> {
    sight.images += 1;
    const look = (blob: Descriptor, part: Pick<MissingPart, 'kind' | 'position'>): Promise<void> =>
      this.#lookAtBlob(repository, blob, { ...part, ...position }, sight);
    const distinct = [...new Map(layers.map((layer, index) => [layer.digest, { layer, index }])).values()];
    await Promise.all([
      look(config, { kind: 'configuration' }),
      ...distinct.map(({ layer, index }) =>
        look(layer, { kind: 'layer', position: { number: index + 1, of: layers.length } }),
      ),
    ]);
  }

  async #lookAtBlob(
    repository: Repository,
    blob: Descriptor,
    part: Omit<MissingPart, 'digest'>,
    sight: Sight,
  ): Promise<void> {
    const isThere = await this.#hasBlob(repository, blob);
    sight.blobs.set(blob.digest, isThere);
    if (isThere !== false) return;
    if (isForeignLayer(blob)) sight.elsewhere.add(blob.digest);
    else sight.missing.push({ ...part, digest: blob.digest });
  }

  #manifest(repository: Repository, digest: Digest, isListed: boolean): Promise<Seen> {
    return this.#manifests.get(`${repository}@${digest}`, () =>
      this.#registry
        .getManifest(repository, digest, this.#signal)
        .catch((error: unknown) => seenIn(error, isListed)),
    );
  }

  /** Checks that a manifest exists which an index lists, without reading it. */
  #claim(repository: Repository, digest: Digest): Promise<Seen> {
    return this.#claims.get(`${repository}@${digest}`, () =>
      this.#registry.findManifest(repository, digest, this.#signal).then(
        (found): Seen => (found === undefined ? 'missing' : 'there'),
        (error: unknown) => seenIn(error, true),
      ),
    );
  }

  #hasBlob(repository: Repository, blob: Descriptor): Promise<boolean | undefined> {
    return this.#blobs.get(`${repository}@${blob.digest}`, () =>
      hasBlob(this.#registry, repository, blob, this.#signal),
    );
  }
}

/**
 * Checks again what was missing below a tag and has been pushed since. docker-registry answers as if it accepted a
 * layer, but keeps the damaged file that it has of it. Throws `CONTENT_UNKNOWN`.
 */
export async function requireRepair(
  registry: Registry,
  { target: { repository, tag }, extent }: Pick<PlannedImage, 'target' | 'extent'>,
  digest: Digest,
  missing: readonly MissingPart[],
  signal: AbortSignal,
): Promise<void> {
  if (extent === 'tag') return;
  const now = await new PartsSearch(registry, signal).lookBelow(repository, digest, { extent });
  const still = now.missing.filter((part) => missing.some((before) => before.digest === part.digest));
  if (still.length === 0) return;
  throw new Failure({
    code: 'CONTENT_UNKNOWN',
    about: registry.nameOf(repository, tag),
    message: `it accepted what was missing, but still lacks ${describeMissing(still)}`,
    hint: 'it may keep a damaged file of it: remove the file from its storage, and run synctl sync --verify deep again',
  });
}

/**
 * Returns what an error means for a manifest. For the manifest of a tag, a refusal proves nothing, because the registry
 * has just answered for the tag. Artifactory answers 403 for what is absent. If it has shown an index (`isListed`), it
 * would also show what the index lists, so a refusal means that this is missing. Throws any other error.
 */
function seenIn(error: unknown, isListed: boolean): 'missing' | 'unshown' {
  // A manifest with another digest is damaged there, so the right one is missing.
  if (isNotFound(error) || failureCode(error) === 'DIGEST_MISMATCH') return 'missing';
  if (isListed && mayBeAbsent(error)) return 'missing';
  if (isRefusedQuestion(error)) return 'unshown';
  throw error;
}

const PARTS_NAMED = 3;

/** Returns the missing parts in words: `its image for linux/arm64 (sha256 4f1e…) and 2 more`. */
export function describeMissing(missing: readonly MissingPart[]): string {
  const named = missing.slice(0, PARTS_NAMED).map(describePart);
  const rest = missing.length - named.length;
  return joinWords(rest === 0 ? named : [...named, `${rest} more`]);
}

function describePart({ kind, digest, position, platform, path }: MissingPart): string {
  const image =
    path.length === 0
      ? 'the image'
      : platform === undefined
        ? 'one of its parts'
        : `its image for ${platform}`;
  const which = abbreviateDigest(digest);
  if (kind === 'manifest') return path.length === 0 ? `its manifest, ${which}` : `${image}, ${which}`;
  const of = path.length === 0 ? '' : ` of ${image}`;
  if (kind === 'configuration') return `the configuration${of}, ${which}`;
  if (position === undefined) return `a layer${of}, ${which}`;
  return `layer ${position.number} of ${position.of}${of}, ${which}`;
}

function weightOf(manifest: Seen): number {
  return typeof manifest === 'string' ? 0 : manifest.bytes.length;
}
