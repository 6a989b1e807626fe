import { z } from 'zod';
import { type Duration, milliseconds, parseAge } from '../lib/duration.ts';
import type { Place } from '../lib/reporter.ts';
import { withoutSecrets } from '../lib/text/hidden-secrets.ts';
import { adviseOnLookAlikes } from '../lib/text/look-alike.ts';
import { type Platform, parsePlatform } from '../registry/oci/platform.ts';
import { parseRepository, type Reference, type Repository } from '../registry/oci/reference.ts';
import { CNI_PLUGINS, type CniWish, cniImages } from './cni-plugin.ts';
import type { Document, Entry, Path } from './document.ts';
import {
  extraName,
  type ImageName,
  KUBERNETES_REGISTRY,
  namesOldRegistry,
  OLD_KUBERNETES_REGISTRY,
  parseExtra,
  parseImageName,
  parsePrefix,
  parseSourceName,
  withoutKubernetesHost,
} from './image-set-name.ts';
import { type ClusterImage, type ClusterRelease, clusterImages, openReleases } from './kubeadm-images.ts';
import { BUILT_IN_KUBEADM } from './kubernetes/kubeadm-tags.ts';
import type { KubernetesWord } from './kubernetes/kubernetes-word.ts';
import { parseKubernetesWord } from './kubernetes/word-parser.ts';
import { type MovedTagsRules, movedTagsSchema, readMovedTags } from './moved-tags.ts';
import { joinNamedImages, type NamedImage } from './named-image.ts';
import { ConfigurationFailure, type Notice, type Problem } from './problem.ts';
import {
  readSignaturePolicies,
  type SignaturePolicies,
  signaturesSchema,
  type WrittenScope,
} from './signature-policy.ts';
import { type TagFilter, tagFilterSchema } from './tag-filter.ts';
import { textOf, validate } from './validation.ts';

/** Exceptions for one image. */
export interface Patch {
  readonly match: ImageName;
  /** The name at the destination, below its namespace, instead of the one from `--naming`. */
  readonly name?: Repository | undefined;
  /** The filter that replaces the set's. */
  readonly tags?: TagFilter | undefined;
  /** The platforms to mirror instead of those of `--platform`. An empty list means all. */
  readonly platforms?: readonly Platform[] | undefined;
  /** The minimum age that replaces the set's. */
  readonly minimumAge?: Duration | undefined;
  readonly place: Place;
}

/** Which images to mirror: a valid `image_set.json`. */
export interface ImageSet {
  readonly file: string;
  /**
   * Repositories of the source registry by their exact names. `exclude` does not apply to them, only to their tags.
   */
  readonly names: readonly Entry<ImageName>[];
  /** Prefixes of the names of further repositories of the source registry. */
  readonly prefixes: readonly Entry<string>[];
  /** Texts. Names found by a prefix, and tags found by listing, are dropped if they contain one. */
  readonly exclude: readonly string[];
  /** Images of other registries. Without a tag, all tags that pass the filters. */
  readonly extras: readonly Entry<Reference>[];
  /** The images of `extras`, joined by repository, in the order of the file. */
  readonly extraImages: ReadonlyMap<ImageName, NamedImage>;
  /** Words for releases of Kubernetes. The set wants all images that kubeadm needs for them. */
  readonly kubernetes: readonly Entry<KubernetesWord>[];
  /** The releases of these words. A set that was only read uses the built-in table, and leaves `latest` and `supported` open. */
  readonly releases: readonly ClusterRelease[];
  /** The images of the source registry that these releases need. Filters and `exclude` do not apply to their tags. */
  readonly clusterImages: ReadonlyMap<ImageName, ClusterImage>;
  /** The wanted tags of images that only `cni` adds. The images are among `extras`. A patch takes precedence. */
  readonly cniWishes: ReadonlyMap<ImageName, CniWish>;
  readonly patches: ReadonlyMap<ImageName, Patch>;
  readonly tags: TagFilter;
  /** How long a tag must have had its image before the image is mirrored; 0 for no time. */
  readonly minimumAge: Duration;
  /** Whose signatures are trusted for the images of a registry or path, in addition to the built-in ones. */
  readonly signatures: SignaturePolicies;
  /** What happens to tags that should not move but moved, instead of the value of `--moved-tags`. */
  readonly movedTags: MovedTagsRules;
  /** The keys of `signatures` and `movedTags`, with their places. */
  readonly scopes: readonly WrittenScope[];
  /** Warnings about texts that keel-pkg reads differently than they are written. */
  readonly notices: readonly Notice[];
}

/** A set without images and filters. */
export const EMPTY_IMAGE_SET: ImageSet = {
  file: '',
  kubernetes: [],
  releases: [],
  clusterImages: new Map(),
  names: [],
  prefixes: [],
  exclude: [],
  extras: [],
  extraImages: new Map(),
  cniWishes: new Map(),
  patches: new Map(),
  tags: {},
  minimumAge: milliseconds(0),
  signatures: [],
  movedTags: [],
  scopes: [],
  notices: [],
};

/** Go writes an empty list as null, so files that were written by a Go tool contain null. */
function list<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
}

const ageSchema = textOf((text) => parseAge(text, 'minimumAge'));

const patchSchema = z
  .strictObject({
    match: textOf(parseImageName),
    name: textOf((text) => parseRepository(text)).optional(),
    tags: tagFilterSchema.optional(),
    platforms: z.array(textOf((text) => parsePlatform(text, 'platforms'))).optional(),
    minimumAge: ageSchema.optional(),
  })
  .refine(
    (patch) => Object.keys(patch).length > 1,
    'the patch changes nothing: add "name", "tags", "platforms" or "minimumAge"',
  );

const imageSetSchema = z.strictObject({
  kubernetes: list(textOf((text) => parseKubernetesWord(text, 'kubernetes'))),
  cni: list(z.enum(CNI_PLUGINS)),
  names: list(textOf(parseSourceName)),
  prefixes: list(textOf(parsePrefix)),
  exclude: list(
    z
      .string()
      .transform(withoutKubernetesHost)
      .pipe(z.string().min(1, 'expected some characters, found "", which every name and tag contains')),
  ),
  extras: list(textOf(parseExtra)),
  patches: list(patchSchema),
  tags: tagFilterSchema.nullish(),
  minimumAge: ageSchema.nullish(),
  signatures: signaturesSchema.nullish(),
  movedTags: movedTagsSchema.nullish(),
});

function repeatedPatches(document: Document, matches: readonly ImageName[]): Problem[] {
  return matches.flatMap((match, index) => {
    const first = matches.indexOf(match);
    if (first === index) return [];
    const { line } = document.place(['patches', first]);
    const message = `there is already a patch for "${match}" on line ${line}; join the two`;
    return [{ place: document.place(['patches', index, 'match']), message }];
  });
}

/** Returns a notice for each text in a document for which `describe` returns one. */
function noticesOfTexts(
  document: Document,
  describe: (text: string) => string | undefined,
  value: unknown = document.value,
  path: Path = [],
): Notice[] {
  if (typeof value === 'string') {
    const message = describe(value);
    return message === undefined ? [] : [{ place: document.place(path), message }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    noticesOfTexts(document, describe, inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function describeOldName(text: string): string | undefined {
  return namesOldRegistry(text)
    ? `${OLD_KUBERNETES_REGISTRY} has been frozen since 2023; read as ${KUBERNETES_REGISTRY}/${withoutKubernetesHost(text)}`
    : undefined;
}

function describeLookAlike(text: string): string | undefined {
  const advice = adviseOnLookAlikes(text);
  return advice && withoutSecrets(`${JSON.stringify(text)} matches no name and no tag: ${advice}`);
}

/** Filters apply to listed tags. The tags that `kubernetes` needs are not listed. */
function uselessFilters(set: Pick<ImageSet, 'names' | 'prefixes' | 'clusterImages' | 'patches'>): Notice[] {
  return [...set.patches.values()].flatMap(({ match, tags, place }) => {
    const isListed =
      set.names.some(({ value }) => value === match) ||
      set.prefixes.some(({ value }) => match.startsWith(value));
    if (tags === undefined || isListed || !set.clusterImages.has(match)) return [];
    const message = `the tags of "${match}" follow from "kubernetes", so "tags" changes nothing here`;
    return [{ place, message }];
  });
}

function describeContradiction({
  about,
  digests: [first],
  places: [earlier, place],
}: ReturnType<typeof joinNamedImages>['contradictions'][number]): Problem[] {
  const message = `"${about}" already has the digest ${first}, on line ${earlier?.line}; a tag has one image`;
  return place === undefined ? [] : [{ place, message }];
}

/** Returns the image set in a document. Throws `CONFIGURATION_MALFORMED` with all of its problems. */
export function parseImageSet(document: Document): ImageSet {
  const parsed = validate(document, imageSetSchema);
  const entries = <Value>(key: string, values: readonly Value[]): Entry<Value>[] =>
    values.map((value, index) => ({ value, place: document.place([key, index]) }));
  const problems = repeatedPatches(
    document,
    parsed.patches.map((patch) => patch.match),
  );
  const policies = readSignaturePolicies(document, parsed.signatures ?? {});
  const moved = readMovedTags(document, parsed.movedTags ?? {});
  problems.push(...policies.problems, ...moved.problems);
  const { names, prefixes: starts, extras: others, kubernetes: releases, cni } = parsed;
  if ([names, starts, others, releases, cni].every(({ length }) => length === 0)) {
    problems.push({
      place: document.place([]),
      message: 'the set has no image: add "kubernetes", "names", "prefixes", "extras" or "cni"',
    });
  }
  if (problems.length > 0) throw new ConfigurationFailure(document.file, problems);
  const kubernetes = entries('kubernetes', parsed.kubernetes);
  const wanted = openReleases(kubernetes, BUILT_IN_KUBEADM);
  const named = entries('extras', parsed.extras);
  const plugins = entries('cni', parsed.cni).flatMap(({ value, place }) =>
    cniImages(value).map((image) => ({ ...image, place })),
  );
  const extras = [...named, ...plugins.map(({ image, place }) => ({ value: image, place }))];
  const { images, contradictions } = joinNamedImages(
    extras.map(({ value, place }) => ({ name: extraName(value), host: value.host, reference: value, place })),
  );
  if (contradictions.length > 0)
    throw new ConfigurationFailure(document.file, contradictions.flatMap(describeContradiction));
  const set = {
    file: document.file,
    kubernetes,
    releases: wanted,
    clusterImages: clusterImages(wanted),
    names: entries('names', parsed.names),
    prefixes: entries('prefixes', parsed.prefixes),
    exclude: parsed.exclude,
    extras,
    extraImages: images,
    cniWishes: new Map(
      plugins
        .filter(({ image }) => !named.some(({ value }) => listsAll(value, image)))
        .map((wish) => [extraName(wish.image), wish]),
    ),
    patches: new Map(
      parsed.patches.map((patch, index) => [
        patch.match,
        { ...patch, place: document.place(['patches', index, 'match']) },
      ]),
    ),
    tags: parsed.tags ?? {},
    minimumAge: parsed.minimumAge ?? milliseconds(0),
    signatures: policies.policies,
    movedTags: moved.rules,
    scopes: [...policies.scopes, ...moved.scopes],
  };
  const notices = [
    ...set.prefixes
      .filter(({ value }) => value === '')
      .map(({ place }) => ({ place, message: 'an empty prefix matches every repository' })),
    ...noticesOfTexts(document, describeOldName),
    ...noticesOfTexts(document, describeLookAlike),
    ...uselessFilters(set),
    ...policies.notices,
  ];
  return { ...set, notices };
}

/** Returns a set whose words for releases of Kubernetes were resolved. */
export function withReleases(set: ImageSet, releases: readonly ClusterRelease[]): ImageSet {
  return { ...set, releases, clusterImages: clusterImages(releases) };
}

/** Returns whether an extra wants all tags of an image. */
function listsAll(extra: Reference, image: Reference): boolean {
  return extra.tag === undefined && extra.digest === undefined && extraName(extra) === extraName(image);
}
