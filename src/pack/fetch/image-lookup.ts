import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Failure, failureCode } from '../../lib/failure.ts';
import { readJson } from '../../lib/json.ts';
import { countOf } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { eachOf, fieldOf, TEXT_FIELD } from '../../lib/zero-value.ts';
import { orStranger } from '../../registry/likeness.ts';
import { type Digest, isDigest } from '../../registry/oci/digest.ts';
import { type Descriptor, type Image, type Index, isNestedIndex } from '../../registry/oci/manifest.ts';
import { entryFor, formatPlatform, matchesPlatform, type Platform } from '../../registry/oci/platform.ts';
import { formatReference, type Reference, type Repository } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import type { Registry } from '../../registry/registry.ts';
import { isNotFound } from '../../registry/registry-failure.ts';
import { getTaggedManifest } from '../../registry/tagged-manifest.ts';
import type { PullCandidate } from '../plan/image-source.ts';
import type { ImagePlan } from '../plan/plan.ts';
import type { BlobStore } from './blob-store.ts';

/** An image of one platform whose configuration and layers are stored as files. */
export interface PulledImage {
  /** Its name in the package, with a tag. */
  readonly upstream: Reference;
  /** The name it was pulled by, which is a second name in the package. */
  readonly pulledBy: Reference;
  /** The manifest of the platform, never an index: loaders would miss its other platforms. */
  readonly manifest: Image;
}

/** An image that was found at its source, for one platform. Its layers are not fetched yet. */
export interface LocatedImage extends PulledImage {
  readonly plan: ImagePlan;
  /** The digest of the index that its name leads to; undefined if it leads to a manifest. */
  readonly index: Digest | undefined;
  /** Whether it was only found under a name that contains the architecture. */
  readonly namesArchitecture: boolean;
  /** The digests of its unpacked layers according to its configuration; undefined if that does not list them. */
  readonly diffIds: readonly Digest[] | undefined;
  /** When it was made according to its configuration, in milliseconds since 1970. */
  readonly created: number | undefined;
}

export interface LookupParts {
  readonly registries: Registries;
  readonly blobs: BlobStore;
  readonly platform: Platform;
  readonly signal: AbortSignal;
}

/** The exact image that a lock records. */
export interface LockedImage {
  readonly pulledBy: Reference;
  readonly index: Digest | undefined;
  readonly digest: Digest;
}

const CONFIG_LIMIT = 16 * 1024 * 1024;

const configShape = z.object({
  architecture: z.string().min(1),
  os: z.string().min(1),
  created: TEXT_FIELD.catch(undefined),
  rootfs: fieldOf(
    z.object({
      diff_ids: eachOf(z.custom<Digest>((value) => typeof value === 'string' && isDigest(value))),
    }),
  ).catch(undefined),
});

/** A candidate that exists, but not for the wanted platform. */
class OtherPlatform {
  readonly found: string;

  constructor(found: string) {
    this.found = found;
  }
}

async function readConfig(image: Image, reference: Reference, { registries, blobs, signal }: LookupParts) {
  const about = formatReference(reference);
  const unusable = (message: string, cause?: unknown) =>
    new Failure({ code: 'IMAGE_UNUSABLE', about, message, cause });
  if (image.config.size > CONFIG_LIMIT) {
    throw unusable(
      `its configuration has ${formatSize(image.config.size)}, so it is not a normal container image`,
    );
  }
  const { host, repository } = reference;
  const file = await blobs.store({
    registry: registries.at(host),
    repository,
    descriptor: image.config,
    about,
    signal,
  });
  try {
    return configShape.parse(readJson(await readFile(file)));
  } catch (cause) {
    throw unusable('its configuration does not state a platform', cause);
  }
}

/** More platforms than any real image has. */
const PLATFORMS_TOLD = 40;

function platformsOf(index: Index): string {
  const names = index.manifests.flatMap(({ platform }) =>
    platform === undefined || platform.os === 'unknown' ? [] : [formatPlatform(platform)],
  );
  if (names.length === 0) return 'an index without platforms';
  const more = names.length > PLATFORMS_TOLD ? ` and ${names.length - PLATFORMS_TOLD} more` : '';
  return `${names.slice(0, PLATFORMS_TOLD).join(', ')}${more}`;
}

/** Where an image was found. */
interface Place {
  readonly registry: Registry;
  readonly repository: Repository;
  readonly about: string;
  readonly signal: AbortSignal;
}

/** An index in an index is rare, and no image has a third level. */
const NESTING_LIMIT = 4;

/** Returns the image for a platform that an index lists, or an index in it; undefined if there is none. */
async function findInIndex(
  index: Index,
  platform: Platform,
  place: Place,
  depth = 1,
): Promise<Image | undefined> {
  const { registry, repository, signal } = place;
  const fetch = ({ digest }: Descriptor) =>
    whole(place, () => registry.getManifest(repository, digest, signal));
  const entry = entryFor(index.manifests, platform);
  const bare = index.manifests.filter(isNestedIndex);
  for (const child of entry === undefined ? bare : [entry]) {
    const manifest = await fetch(child);
    if (manifest.kind === 'image') return manifest;
    const found = depth < NESTING_LIMIT ? await findInIndex(manifest, platform, place, depth + 1) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Reads a part of an image that exists: if the registry lacks the part, the image is not missing but unusable. */
async function whole<Result>({ about }: Place, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    if (!isPerhapsAbsent(cause)) throw cause;
    const message = `a part of the image is missing: ${cause instanceof Error ? cause.message : String(cause)}`;
    const hint = 'mirror it again with synctl sync --verify deep, or choose another --image-source';
    throw new Failure({ code: 'IMAGE_UNUSABLE', about, message, hint, cause });
  }
}

async function readCandidate(
  { reference, namesArchitecture }: PullCandidate,
  plan: ImagePlan,
  parts: LookupParts,
  locked?: LockedImage,
): Promise<LocatedImage | OtherPlatform> {
  const { registries, platform, signal } = parts;
  const { host, repository, tag } = reference;
  const registry: Registry = registries.at(host);
  const digest = locked?.digest ?? plan.digest;
  const name = digest ?? tag;
  if (name === undefined) throw new TypeError(`${formatReference(reference)} has neither tag nor digest`);
  const top =
    tag === undefined || digest === undefined
      ? await registry.getManifest(repository, name, signal)
      : await getTaggedManifest(registry, repository, { tag, digest }, signal);
  const place: Place = { registry, repository, about: formatReference(reference), signal };
  let image: Image | undefined;
  if (top.kind === 'image') image = top;
  else {
    image = await findInIndex(top, platform, place);
    if (image === undefined) return new OtherPlatform(platformsOf(top));
  }
  // What an index says about its entries is a claim; the configuration is what runs.
  const config = await whole(place, () => readConfig(image, reference, parts));
  if (!matchesPlatform(config, platform)) return new OtherPlatform(formatPlatform(config));
  const created = Date.parse(config.created ?? '');
  return {
    plan,
    upstream: plan.upstream,
    pulledBy: reference,
    manifest: image,
    index: locked === undefined ? (top.kind === 'index' ? top.digest : undefined) : locked.index,
    namesArchitecture,
    diffIds: config.rootfs?.diff_ids,
    created: Number.isNaN(created) ? undefined : created,
  };
}

/**
 * Returns whether an error may mean that an image does not exist: some registries answer "denied" for one that does
 * not.
 */
function isPerhapsAbsent(error: unknown): boolean {
  return ['NOT_FOUND', 'DENIED', 'UNAUTHORIZED'].includes(failureCode(error));
}

/** Returns the first name of an image, and how many others there are. */
function triedNames({ candidates: [first, ...others] }: ImagePlan): string {
  const name = first === undefined ? 'no name' : formatReference(first.reference);
  return others.length === 0 ? name : `${name} and ${countOf(others.length, 'other name')}`;
}

/**
 * Returns an image under the first of its names that exists for the platform. Throws `IMAGE_MISSING`,
 * `IMAGE_FOR_OTHER_PLATFORM`, `NOT_A_REGISTRY`, or the registry's failure.
 */
export async function findImage(plan: ImagePlan, parts: LookupParts): Promise<LocatedImage> {
  const others: string[] = [];
  let denial: unknown;
  let stranger: unknown;
  for (const candidate of plan.candidates) {
    try {
      const found = await readCandidate(candidate, plan, parts);
      if (!(found instanceof OtherPlatform)) return found;
      others.push(`${formatReference(candidate.reference)} is for ${found.found}`);
    } catch (error) {
      if (!isPerhapsAbsent(error)) throw error;
      if (!isNotFound(error)) denial ??= error;
      const reason = orStranger(parts.registries.at(candidate.reference.host), error);
      if (reason !== error) stranger ??= reason;
    }
  }
  const wanted = formatPlatform(parts.platform);
  if (others.length > 0) {
    throw new Failure({
      code: 'IMAGE_FOR_OTHER_PLATFORM',
      about: `${plan.name} ${plan.upstream.tag ?? ''}`.trim(),
      message: `no image for ${wanted}: ${others.join('; ')}`,
      hint: 'mirror the image for this platform, or choose another --image-source',
    });
  }
  if (denial !== undefined) throw denial;
  if (stranger !== undefined) throw stranger;
  throw new Failure({
    code: 'IMAGE_MISSING',
    about: `${plan.name} ${plan.digest ?? plan.upstream.tag ?? ''}`.trim(),
    message: `not found; tried ${triedNames(plan)}`,
    hint: 'check the tag, mirror the image first, or choose another --image-source',
  });
}

/** Returns exactly the image that a lock records. Throws `IMAGE_FOR_OTHER_PLATFORM`, or the registry's failure. */
export async function findLockedImage(
  plan: ImagePlan,
  locked: LockedImage,
  parts: LookupParts,
): Promise<LocatedImage> {
  const candidate = plan.candidates.find(
    ({ reference }) => formatReference(reference) === formatReference(locked.pulledBy),
  );
  const namesArchitecture = candidate?.namesArchitecture ?? false;
  const found = await readCandidate({ reference: locked.pulledBy, namesArchitecture }, plan, parts, locked);
  if (!(found instanceof OtherPlatform)) return found;
  throw new Failure({
    code: 'IMAGE_FOR_OTHER_PLATFORM',
    about: formatReference(locked.pulledBy),
    message: `${locked.digest} in the lock is for ${found.found}, not ${formatPlatform(parts.platform)}`,
    hint: 'remove the lock to write a new one',
  });
}
