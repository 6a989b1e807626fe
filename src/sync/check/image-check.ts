import { readImageSetIfThere } from '../../config/configuration-file.ts';
import { EMPTY_IMAGE_SET } from '../../config/image-set.ts';
import { describeFailure, Failure, failureCode } from '../../lib/failure.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import { type Digest, digestAlgorithm, isDigest } from '../../registry/oci/digest.ts';
import { hasDigest, type Manifest } from '../../registry/oci/manifest.ts';
import type { Platform } from '../../registry/oci/platform.ts';
import { formatReference, type Reference, type Repository, type Tag } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import type { TagList } from '../../registry/tag-list.ts';
import { getTaggedManifest } from '../../registry/tagged-manifest.ts';
import { SignatureCheck } from '../../signatures/signature-check.ts';
import { PartsSearch } from '../copy/missing-parts.ts';
import { choosePlatforms } from '../copy/platform-choice.ts';
import { openRunRegistries } from '../parts.ts';
import {
  contentOptions,
  conversionIn,
  fitsSettings,
  hasOthersSignatures,
  mayDiffer,
} from '../plan/recorded-options.ts';
import { type OfferedTag, platformsFor, selectTags } from '../select/selection.ts';
import { isSignatureTag } from '../select/signature-tag.ts';
import type { SyncSettings } from '../settings.ts';
import type { RecordedImage } from '../state/image-rows.ts';
import { type KnownStateParts, openKnownState } from '../state/known-state.ts';
import { type CheckedSignature, checkSignature } from './check-signatures.ts';
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
  readonly image: Reference;
  readonly repository: Repository;
  readonly platforms: readonly Platform[];
  readonly signal: AbortSignal;
}

/**
 * Returns what the source, the state and the destination have of an image: of one tag, or without a tag of all wanted
 * tags. Nothing is written. Throws failures of the settings, the image set and the state, `NOT_FOUND` if the source
 * has no such repository, and `COMMAND_TIMED_OUT`.
 */
export async function checkImage(
  given: Reference,
  settings: SyncSettings,
  parts: KnownStateParts,
): Promise<CheckedReference> {
  const { reporter } = parts;
  const set = await readImageSetIfThere(settings.imageSet);
  if (set === undefined) {
    reporter.warning(
      `${settings.imageSet}: there is no image set, so what it wants and renames is not considered`,
    );
  }
  for (const { message, place } of set?.notices ?? []) reporter.warning(message, place);
  const { verifySignatures, trustedRoot, imageSet: file } = settings;
  const { signatures: policies } = set ?? EMPTY_IMAGE_SET;
  const signatures = await SignatureCheck.open(verifySignatures, { policies, trustedRoot, file });
  using deadline = new RunDeadline(settings.commandTimeout, parts.signal);
  const { signal } = deadline;
  const limited = { ...parts, signal };
  const registries = await openRunRegistries(settings, { ...limited, deadline: deadline.at });
  try {
    using known = await openKnownState(settings, registries, limited);
    const { state } = known;
    const image = sourceOf(given, settings, state, set);
    const location = locateImage(image, set, settings);
    const repository = location.destination;
    const source = registries.at(image.host);
    const target = registries.at(settings.destination);
    const chosen = platformsFor(set ?? EMPTY_IMAGE_SET, location.name) ?? settings.platforms;
    const platforms = isSignatureTag(image.tag ?? '') ? [] : chosen;
    const sides: Sides = { source, target, image, repository, platforms, signal };
    const recorded = state.images({ host: target.host, repository });
    const listing = await listSource(sides);
    const { tags: wanted } = selectTags(set ?? EMPTY_IMAGE_SET, location.name, offeredBy(listing, image));
    const isWanted = (tag: Tag | Digest): boolean | undefined =>
      set === undefined || isDigest(tag)
        ? undefined
        : location.wantedBy !== undefined && wanted.includes(tag);
    const one = image.digest ?? image.tag;
    const tags =
      one === undefined
        ? await lookAtMany(sides, listing, wanted, recorded)
        : [await lookAtOne(sides, listing, one, isDigest(one) ? undefined : recorded.get(one))];
    for (const { facts } of tags) await requireLogin(facts.destination, target, repository);
    warnOfStrangers([source, target], reporter);
    const judged = tags.map(async ({ tag, facts }): Promise<CheckedTag> => {
      const signature =
        signatures && (await checkSignature(signatures, { source, image, tag }, facts.source, signal));
      return {
        tag,
        isWanted: isWanted(tag),
        ...facts,
        ...judge({ ...facts, isWanted: isWanted(tag) }),
        signature,
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
    // No other image was asked for, so nothing tells a registry behind a web site from the web site.
    const { oddity } = source.likeness;
    const doubt = oddity === undefined ? '' : `, or is no registry: ${oddity}`;
    throw new Failure({
      code: 'NOT_FOUND',
      about: formatReference(image),
      message: `the source has no such repository${doubt}`,
      hint: 'check its spelling, and whether it belongs to another registry than --source',
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
  const { source, target, image, repository, signal } = sides;
  const [here, there] = await Promise.all([
    viewManifest(source, image.repository, tag, signal),
    viewManifest(target, repository, tag, signal),
  ]);
  const uploaded = isDigest(tag) ? undefined : listing?.manifests.get(tag)?.uploaded;
  const view = here.view.kind === 'there' ? { ...here.view, uploaded } : here.view;
  const expectation = await expect(sides, { here: view, there: there.view }, () => here.manifest);
  // For a converted image, and for signatures beside those of others, only the state knows the digest there.
  const isOfState =
    recorded !== undefined &&
    (conversionIn(recorded.options) !== undefined || hasOthersSignatures(recorded.options)) &&
    fitsSettings(recorded.options, contentOptions(sides.platforms)) &&
    view.kind === 'there' &&
    view.digest === recorded.sourceDigest;
  const expected = isOfState ? recorded.pushedDigest : expectation.expected;
  const facts = { ...expectation, expected, destination: there.view, recorded };
  if (there.view.kind !== 'there' || there.view.digest !== expected) return { tag, facts };
  try {
    const below = await new PartsSearch(target, signal).lookBelow(repository, expected);
    return { tag, facts: { ...facts, below } };
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

/** Compares digests only: those in the source's listing with the destination's, which take one request per tag. */
async function lookAtMany(
  sides: Sides,
  listing: TagList | undefined,
  wanted: readonly Tag[],
  recorded: ReadonlyMap<Tag, RecordedImage>,
): Promise<Look[]> {
  const { source, target, image, repository, platforms, signal } = sides;
  const options = contentOptions(platforms);
  return await Promise.all(
    wanted.map(async (tag): Promise<Look> => {
      const listed = listing?.manifests.get(tag);
      const [here, destination] = await Promise.all([
        listed === undefined
          ? viewDigest(source, image.repository, tag, signal)
          : ({ kind: 'there', digest: listed.digest, uploaded: listed.uploaded } as const),
        viewDigest(target, repository, tag, signal),
      ]);
      const known = recorded.get(tag);
      const isRecorded =
        here.kind === 'there' &&
        known?.sourceDigest === here.digest &&
        fitsSettings(known.options, options) &&
        mayDiffer(known.options, platforms);
      if (isRecorded)
        return { tag, facts: { source: here, expected: known.pushedDigest, destination, recorded: known } };
      const expectation = await expect(sides, { here, there: destination }, (digest) =>
        getTaggedManifest(source, image.repository, { tag, digest }, signal),
      );
      return { tag, facts: { ...expectation, destination, recorded: known } };
    }),
  );
}

/**
 * Returns the digest that the destination should have, in its own algorithm if it has the same content. If the chosen
 * platforms do not exist, the source is `unknown`.
 */
async function expect(
  { source, image, platforms, signal }: Sides,
  { here, there }: { readonly here: TagView; readonly there: TagView },
  manifestOf: (digest: Digest) => Manifest | undefined | Promise<Manifest>,
): Promise<Pick<TagFacts, 'source' | 'expected'>> {
  if (here.kind !== 'there') return { source: here, expected: undefined };
  const isComparable =
    there.kind !== 'there' || digestAlgorithm(there.digest) === digestAlgorithm(here.digest);
  if (platforms.length === 0 && isComparable) return { source: here, expected: here.digest };
  try {
    const manifest = await manifestOf(here.digest);
    if (manifest === undefined) return { source: here, expected: undefined };
    const about = source.nameOf(image.repository, here.digest);
    const fetch = (digest: Digest) => source.getManifest(image.repository, digest, signal);
    const { manifest: chosen } = await choosePlatforms(manifest, { platforms, about, fetch });
    const isThere = there.kind === 'there' && hasDigest(chosen, there.digest);
    return { source: here, expected: isThere ? there.digest : chosen.digest };
  } catch (error) {
    signal.throwIfAborted();
    return { source: { kind: 'unknown', reason: describeFailure(error) }, expected: undefined };
  }
}
