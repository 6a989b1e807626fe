import { readImageSetIfThere } from '../../config/configuration-file.ts';
import { EMPTY_IMAGE_SET, type ImageSet } from '../../config/image-set.ts';
import { KUBEADM_IMAGE_NAMES } from '../../config/kubeadm-images.ts';
import { describeFailure, Failure, failureCode } from '../../lib/failure.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import { type Digest, isDigest } from '../../registry/oci/digest.ts';
import { digestTag } from '../../registry/oci/digest-tag.ts';
import type { Manifest } from '../../registry/oci/manifest.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import { formatReference, type Reference, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import type { TagList } from '../../registry/tag-list.ts';
import { getTaggedManifest } from '../../registry/tagged-manifest.ts';
import { SignatureCheck } from '../../signatures/signature-check.ts';
import { PartsSearch } from '../copy/missing-parts.ts';
import { openRunRegistries } from '../parts.ts';
import { resolveCluster } from '../plan/cluster-resolution.ts';
import { listApiserver } from '../plan/source-listing.ts';
import { SourceVerification } from '../plan/source-verification.ts';
import { TagMaturity } from '../plan/tag-maturity.ts';
import type { ReportedMove } from '../report/report.ts';
import { minimumAgeFor, type OfferedTag, pinFor, platformsFor, selectMature } from '../select/selection.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import type { SyncSettings } from '../settings.ts';
import type { RecordedImage } from '../state/image-rows.ts';
import { type KnownStateParts, openKnownState } from '../state/known-state.ts';
import type { State } from '../state/state.ts';
import { checkMove } from './check-moves.ts';
import { type CheckedSignature, checkSignature } from './check-signatures.ts';
import { expectedImage } from './expected-digest.ts';
import { type ImageLocation, locateImage, sourceOf } from './image-location.ts';
import { type Judgement, judge, type TagFacts } from './mirror-verdict.ts';
import { warnOfStrangers } from './stranger-notice.ts';
import { requireLogin, type TagView, viewDigest, viewManifest } from './tag-view.ts';

/** One tag of a checked image. */
export interface CheckedTag extends TagFacts, Judgement {
  /** The checked tag or digest. */
  readonly tag: Tag | Digest;
  /** Whether the image set wants it. Undefined without an image set, and for a digest. */
  readonly isWanted: boolean | undefined;
  /** Defined if signatures are checked and the source has the tag. */
  readonly signature?: CheckedSignature | undefined;
  /** Defined if the source moved the tag and should not have. */
  readonly moved?: ReportedMove | undefined;
}

/** The result of `synctl check` for an image. */
export interface CheckedReference {
  readonly image: Reference;
  readonly location: ImageLocation;
  readonly destination: Reference;
  /** The path of the image set. Undefined if there is none. */
  readonly imageSet: string | undefined;
  readonly requiresSignatures: boolean;
  readonly tags: readonly CheckedTag[];
}

interface Sides {
  readonly source: Registry;
  readonly target: Registry;
  /** Looks below tags of the target. */
  readonly search: PartsSearch;
  readonly image: Reference;
  readonly repository: Repository;
  readonly platforms: readonly Platform[];
  /** Returns the digest that a tag must have, even if it has another one at the source. */
  readonly pinOf: (tag: Tag | Digest) => Digest | undefined;
  readonly signal: AbortSignal;
}

/**
 * Returns what the source, the state and the destination have of an image: of one tag, or without a tag of all wanted
 * tags, whose parts are looked at with `--verify deep`. Nothing is written. Throws failures of the settings, the image
 * set and the state, `NOT_FOUND` if the source has no such repository, and `COMMAND_TIMED_OUT`.
 */
export async function checkImage(
  given: Reference,
  settings: SyncSettings,
  parts: KnownStateParts,
): Promise<CheckedReference> {
  const { reporter } = parts;
  using deadline = new RunDeadline(settings.commandTimeout, parts.signal);
  const { signal } = deadline;
  const written = await readImageSetIfThere(settings.imageSet, signal);
  if (written === undefined) {
    reporter.warning(
      `${settings.imageSet}: there is no image set, so check cannot show which images it would select or rename`,
    );
  }
  for (const { message, place } of written?.notices ?? []) reporter.warning(message, place);
  const { verifySignatures, trustedRoot, imageSet: file } = settings;
  const { signatures: policies } = written ?? EMPTY_IMAGE_SET;
  const signatures = await SignatureCheck.open(verifySignatures, { policies, trustedRoot, file }, signal);
  const limited = { ...parts, signal };
  const registries = await openRunRegistries(settings, { ...limited, deadline: deadline.at });
  try {
    using known = await openKnownState(settings, registries, limited);
    const { state } = known;
    const image = sourceOf(given, settings, state, written);
    const location = locateImage(image, written, settings);
    const repository = location.destination;
    const resolved =
      written && (await resolvedFor(location, written, { settings, registries, state, parts: limited }));
    const set = resolved?.set;
    const source = registries.at(image.host);
    const target = registries.at(settings.destination);
    const chosen = platformsFor(set ?? EMPTY_IMAGE_SET, location.name) ?? settings.platforms;
    const platforms = isSignatureTag(image.tag ?? '') ? [] : chosen;
    const search = new PartsSearch(target, signal);
    const pinOf: Sides['pinOf'] = (tag) => {
      if (isDigest(tag)) return undefined;
      return tag === image.tag && image.digest !== undefined
        ? image.digest
        : pinFor(set ?? EMPTY_IMAGE_SET, location.name, tag)?.digest;
    };
    const sides: Sides = { source, target, search, image, repository, platforms, pinOf, signal };
    const recorded = (tag: Tag): RecordedImage | undefined =>
      state.image({ host: target.host, repository }, tag);
    const listing = await listSource(sides);
    const maturity = new TagMaturity({
      log: { sightings: (from) => state.sightings(from), sight: () => undefined },
      now: parts.now?.() ?? new Date(),
    });
    const named = image.tag === undefined ? [] : [image.tag];
    const young = maturity.youngIn(
      { host: image.host, repository: image.repository },
      listing ?? { tags: named, children: [], manifests: new Map() },
      {
        minimumAge: minimumAgeFor(set ?? EMPTY_IMAGE_SET, location.name),
        mirrored: (tag) => recorded(tag)?.sourceDigest,
      },
    );
    const offered = offeredBy(listing, image);
    const { tags: wanted } = selectMature(set ?? EMPTY_IMAGE_SET, location.name, { offered, young });
    const isWanted = (tag: Tag | Digest): boolean | undefined => {
      if (set === undefined || isDigest(tag)) return undefined;
      const isKnown = location.wantedBy !== undefined && wanted.includes(tag);
      return isKnown || resolved?.listFailure === undefined ? isKnown : undefined;
    };
    const one = image.tag ?? image.digest;
    if (one === undefined && resolved?.listFailure !== undefined) throw resolved.listFailure;
    const tags =
      one === undefined
        ? await lookAtMany(sides, listing, wanted, { recorded, isDeep: settings.verify === 'deep' })
        : [await lookAtOne(sides, listing, one, recorded(isDigest(one) ? digestTag(one) : one))];
    for (const { facts } of tags) await requireLogin(facts.destination, target, repository);
    warnOfStrangers([source, target], reporter);
    const verification = signatures && new SourceVerification(verifySignatures, signatures, signal);
    const moves = { ...sides, set: set ?? EMPTY_IMAGE_SET, settings, verification };
    const judged = tags.map(async ({ tag, facts }): Promise<CheckedTag> => {
      const signature =
        signatures && (await checkSignature(signatures, { source, image, tag }, facts.source, signal));
      return {
        tag,
        isWanted: isWanted(tag),
        ...facts,
        ...judge({ ...facts, isWanted: isWanted(tag), isYoung: !isDigest(tag) && young.has(tag) }),
        signature,
        moved: isDigest(tag) ? undefined : await checkMove(moves, tag, facts),
      };
    });
    return {
      image,
      location,
      destination: { host: target.host, repository },
      imageSet: set?.file,
      requiresSignatures: settings.verifySignatures === 'require',
      tags: await Promise.all(judged),
    };
  } finally {
    registries.close();
  }
}

/**
 * Returns a set whose words for releases of Kubernetes are resolved if an image depends on them, and why some of them
 * could not be resolved.
 */
async function resolvedFor(
  { name }: ImageLocation,
  set: ImageSet,
  {
    settings,
    registries,
    state,
    parts,
  }: {
    readonly settings: SyncSettings;
    readonly registries: Registries;
    readonly state: State;
    readonly parts: KnownStateParts;
  },
): Promise<{ readonly set: ImageSet; readonly listFailure?: unknown }> {
  if (!set.clusterImages.has(name)) return { set };
  const { signal } = parts;
  const list = () => listApiserver(registries.at(settings.source), (host) => registries.at(host), signal);
  // The tags of all images but those of kubeadm follow from the list alone.
  const isOfKubeadm = Object.values(KUBEADM_IMAGE_NAMES).includes(name);
  const maker = isOfKubeadm ? parts.maker : undefined;
  const resolved = await resolveCluster(set, { list, learnt: state.learntTags(), maker, signal });
  for (const { message, place } of isOfKubeadm ? resolved.notices : [])
    parts.reporter.warning(message, place);
  const open = resolved.words.filter(({ isOpen }) => isOpen);
  const why = describeFailure(resolved.listFailure);
  for (const { word, place } of open)
    parts.reporter.warning(`the meaning of "${word}" is unknown: ${why}`, place);
  return { set: resolved.set, listFailure: open.length > 0 ? resolved.listFailure : undefined };
}

interface Look {
  readonly tag: Tag | Digest;
  readonly facts: TagFacts;
}

async function listSource({ source, image, signal }: Sides): Promise<TagList | undefined> {
  try {
    return await source.listTags(image.repository, signal);
  } catch (error) {
    signal.throwIfAborted();
    // Some registries refuse all listing. A named tag can be requested anyway.
    if (image.tag !== undefined || image.digest !== undefined) return undefined;
    if (!isNotFound(error)) throw error;
    // No other image was requested, so a web site looks the same as a registry behind a web site.
    const { oddity } = source.likeness;
    const doubt = oddity === undefined ? '' : `, or is not a registry: ${oddity}`;
    throw new Failure({
      code: 'NOT_FOUND',
      about: formatReference(image),
      message: `the source has no such repository${doubt}`,
      hint: 'check its spelling, and whether it belongs to a registry other than --source',
      cause: error,
    });
  }
}

function offeredBy(listing: TagList | undefined, image: Reference): OfferedTag[] {
  const listed = listing === undefined ? [] : [...new Set([...listing.tags, ...listing.manifests.keys()])];
  const tags = listed.length === 0 && image.tag !== undefined ? [image.tag] : listed;
  return tags.map((tag) => ({ tag, uploaded: listing?.manifests.get(tag)?.uploaded }));
}

/** Compares the manifests of both sides, which show formats and platforms too, and looks at all that is below the tag. */
async function lookAtOne(
  sides: Sides,
  listing: TagList | undefined,
  tag: Tag | Digest,
  recorded: RecordedImage | undefined,
): Promise<Look> {
  const { source, target, image, repository, pinOf, signal } = sides;
  const [here, there] = await Promise.all([
    viewManifest(source, image.repository, pinOf(tag) ?? tag, signal),
    viewManifest(target, repository, tag, signal),
  ]);
  const uploaded = isDigest(tag) ? undefined : listing?.manifests.get(tag)?.uploaded;
  const view = here.view.kind === 'there' ? { ...here.view, uploaded } : here.view;
  const expectation = await expect(sides, tag, {
    here: view,
    there: there.view,
    original: async () => here.manifest,
    standing: async () => there.manifest,
  });
  return await lookBelow(sides, { tag, facts: { ...expectation, destination: there.view, recorded } });
}

/** Adds what is below a tag that is right at the destination. */
async function lookBelow(sides: Sides, look: Look): Promise<Look> {
  const { search, repository, signal } = sides;
  const { tag, facts } = look;
  const { destination: there, expected } = facts;
  if (there.kind !== 'there' || expected === undefined || there.digest !== expected) return look;
  try {
    return { tag, facts: { ...facts, below: await search.lookBelow(repository, expected) } };
  } catch (error) {
    signal.throwIfAborted();
    const destination = {
      kind: 'unknown',
      reason: describeFailure(error),
      code: failureCode(error),
    } as const;
    return { tag, facts: { ...facts, destination } };
  }
}

/**
 * Compares digests only, unless all parts are to be checked: those in the source's listing with the destination's,
 * which take one request per tag.
 */
async function lookAtMany(
  sides: Sides,
  listing: TagList | undefined,
  wanted: readonly Tag[],
  {
    recorded,
    isDeep,
  }: { readonly recorded: (tag: Tag) => RecordedImage | undefined; readonly isDeep: boolean },
): Promise<Look[]> {
  const { source, target, image, repository, pinOf, signal } = sides;
  return await Promise.all(
    wanted.map(async (tag): Promise<Look> => {
      const pin = pinOf(tag);
      const listed = pin === undefined ? listing?.manifests.get(tag) : undefined;
      const [here, destination] = await Promise.all([
        listed === undefined
          ? viewDigest(source, image.repository, pin ?? tag, signal)
          : ({ kind: 'there', digest: listed.digest, uploaded: listed.uploaded } as const),
        viewDigest(target, repository, tag, signal),
      ]);
      const expectation = await expect(sides, tag, {
        here,
        there: destination,
        original: (digest) => getTaggedManifest(source, image.repository, { tag, digest }, signal),
        standing: () => target.getManifest(repository, tag, signal),
      });
      const look = { tag, facts: { ...expectation, destination, recorded: recorded(tag) } };
      return isDeep ? await lookBelow(sides, look) : look;
    }),
  );
}

/**
 * Returns the digest that the destination should have, and how it differs from the source's. If the image at the source
 * cannot be fetched, or lacks the chosen platforms, the source is `unknown`.
 */
async function expect(
  { source, image, platforms: chosen, pinOf, signal }: Sides,
  tag: Tag | Digest,
  {
    here,
    there,
    original: read,
    standing,
  }: {
    readonly here: TagView;
    readonly there: TagView;
    readonly original: (digest: Digest) => Promise<Manifest | undefined>;
    readonly standing: () => Promise<Manifest | undefined>;
  },
): Promise<Pick<TagFacts, 'source' | 'expected' | 'change'>> {
  if (here.kind !== 'there') return { source: here, expected: undefined };
  const platforms = pinOf(tag) === undefined ? chosen : [];
  const isSame = there.kind !== 'there' || there.digest === here.digest;
  if (platforms.length === 0 && isSame) return { source: here, expected: here.digest };
  try {
    const original = await read(here.digest);
    if (original === undefined) return { source: here, expected: undefined };
    const { digest, change } = await expectedImage({
      original,
      there: there.kind === 'there' ? there : undefined,
      standing: isSignatureTag(tag) ? standing : undefined,
      platforms,
      fetch: (listed) => source.getManifest(image.repository, listed, signal),
      about: source.nameOf(image.repository, here.digest),
    });
    return { source: here, expected: digest, change };
  } catch (error) {
    signal.throwIfAborted();
    return { source: { kind: 'unknown', reason: describeFailure(error) }, expected: undefined };
  }
}
