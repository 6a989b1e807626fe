import { z } from 'zod';
import type { Place } from '../lib/reporter.ts';
import { adviseOnLookAlikes } from '../lib/text/look-alike.ts';
import { type Platform, parsePlatform } from '../registry/oci/platform.ts';
import {
  type Host,
  parseRepository,
  type Reference,
  type Repository,
  type Tag,
} from '../registry/oci/reference.ts';
import { CNI_PLUGINS, cniImages } from './cni-plugin.ts';
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
import { type ClusterImage, clusterImages } from './kubeadm-images.ts';
import { kubeadmTags } from './kubernetes/kubeadm-tags.ts';
import { type KubernetesRelease, parseKubernetesRelease } from './kubernetes/kubernetes-release.ts';
import { type MovedTagsRules, movedTagsSchema, readMovedTags } from './moved-tags.ts';
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
  /** The name at the destination, below its namespace, instead of the one by `--naming`. */
  readonly name?: Repository | undefined;
  /** The filter that replaces the set's. */
  readonly tags?: TagFilter | undefined;
  /** The platforms to mirror instead of those of `--platform`. An empty list means all. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly place: Place;
}

/** A repository of another registry, with all that the extras of a set want of it. */
interface ExtraImage {
  readonly name: ImageName;
  readonly host: Host;
  readonly repository: Repository;
  /** The tags that are named. */
  readonly tags: ReadonlySet<Tag>;
  /** Whether it is named without a tag too, so that the tags that it lists are wanted if they pass the filters. */
  readonly isListed: boolean;
  readonly places: readonly Place[];
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
  /** The same, joined by repository, in the order of the file. */
  readonly extraImages: ReadonlyMap<ImageName, ExtraImage>;
  /** Minors and versions of Kubernetes. All images that kubeadm needs for them are wanted. */
  readonly kubernetes: readonly Entry<KubernetesRelease>[];
  /** The images of the source registry that they need. Filters and `exclude` do not apply to their tags. */
  readonly clusterImages: ReadonlyMap<ImageName, ClusterImage>;
  /** The filters of images that only `cni` wants. The images are among `extras`. A patch takes precedence. */
  readonly cniFilters: ReadonlyMap<ImageName, TagFilter>;
  readonly patches: ReadonlyMap<ImageName, Patch>;
  readonly tags: TagFilter;
  /** Whose signatures are trusted for the images of a registry or path, in addition to the built-in ones. */
  readonly signatures: SignaturePolicies;
  /** What becomes of tags that should not move, instead of what `--moved-tags` says. */
  readonly movedTags: MovedTagsRules;
  /** The keys of both, with their places. */
  readonly scopes: readonly WrittenScope[];
  /** Warnings about what was read differently than it is written. */
  readonly notices: readonly Notice[];
}

/** A set without images and filters. */
export const EMPTY_IMAGE_SET: ImageSet = {
  file: '',
  kubernetes: [],
  clusterImages: new Map(),
  names: [],
  prefixes: [],
  exclude: [],
  extras: [],
  extraImages: new Map(),
  cniFilters: new Map(),
  patches: new Map(),
  tags: {},
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

const patchSchema = z
  .strictObject({
    match: textOf(parseImageName),
    name: textOf((text) => parseRepository(text)).optional(),
    tags: tagFilterSchema.optional(),
    platforms: z.array(textOf((text) => parsePlatform(text, 'platforms'))).optional(),
  })
  .refine(
    (patch) => Object.keys(patch).length > 1,
    'the patch changes nothing: give "name", "tags" or "platforms"',
  );

const imageSetSchema = z.strictObject({
  kubernetes: list(textOf(parseKubernetesRelease)),
  cni: list(z.enum(CNI_PLUGINS)),
  names: list(textOf(parseSourceName)),
  prefixes: list(textOf(parsePrefix)),
  exclude: list(
    z
      .string()
      .transform(withoutKubernetesHost)
      .pipe(z.string().min(1, 'expected some characters, found ""; every name and tag contains that')),
  ),
  extras: list(textOf(parseExtra)),
  patches: list(patchSchema),
  tags: tagFilterSchema.nullish(),
  signatures: signaturesSchema.nullish(),
  movedTags: movedTagsSchema.nullish(),
});

function repeatedPatches(document: Document, matches: readonly ImageName[]): Problem[] {
  return matches.flatMap((match, index) => {
    const first = matches.indexOf(match);
    if (first === index) return [];
    const { line } = document.place(['patches', first]);
    const message = `there is a patch for "${match}" already, on line ${line}; join the two`;
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
    ? `${OLD_KUBERNETES_REGISTRY} is frozen since 2023; read as ${KUBERNETES_REGISTRY}/${withoutKubernetesHost(text)}`
    : undefined;
}

function describeLookAlike(text: string): string | undefined {
  const advice = adviseOnLookAlikes(text);
  return advice && `${JSON.stringify(text)} matches no name and no tag: ${advice}`;
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

function unknownPatch({ value, place }: Entry<KubernetesRelease>): Notice[] {
  const message = value.kind === 'version' ? kubeadmTags(value.version)?.warning : undefined;
  return message === undefined ? [] : [{ place, message }];
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
      message: 'the set has no image: give "kubernetes", "names", "prefixes", "extras" or "cni"',
    });
  }
  if (problems.length > 0) throw new ConfigurationFailure(document.file, problems);
  const kubernetes = entries('kubernetes', parsed.kubernetes);
  const named = entries('extras', parsed.extras);
  const plugins = entries('cni', parsed.cni).flatMap(({ value, place }) =>
    cniImages(value).map((image) => ({ ...image, place })),
  );
  const extras = [...named, ...plugins.map(({ image, place }) => ({ value: image, place }))];
  const set = {
    file: document.file,
    kubernetes,
    clusterImages: clusterImages(kubernetes),
    names: entries('names', parsed.names),
    prefixes: entries('prefixes', parsed.prefixes),
    exclude: parsed.exclude,
    extras,
    extraImages: extraImages(extras),
    cniFilters: new Map(
      plugins
        .filter(({ image }) => !named.some(({ value }) => listsAll(value, image)))
        .map(({ image, tags }) => [extraName(image), tags]),
    ),
    patches: new Map(
      parsed.patches.map((patch, index) => [
        patch.match,
        { ...patch, place: document.place(['patches', index, 'match']) },
      ]),
    ),
    tags: parsed.tags ?? {},
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
    ...kubernetes.flatMap(unknownPatch),
    ...uselessFilters(set),
    ...policies.notices,
  ];
  return { ...set, notices };
}

function extraImages(extras: readonly Entry<Reference>[]): ReadonlyMap<ImageName, ExtraImage> {
  const images = new Map<ImageName, ExtraImage>();
  for (const { value, place } of extras) {
    const name = extraName(value);
    const earlier = images.get(name);
    images.set(name, {
      name,
      host: value.host,
      repository: value.repository,
      tags: new Set([...(earlier?.tags ?? []), ...(value.tag === undefined ? [] : [value.tag])]),
      isListed: earlier?.isListed === true || value.tag === undefined,
      places: [...(earlier?.places ?? []), place],
    });
  }
  return images;
}

/** Returns whether an extra wants all tags of an image. */
function listsAll(extra: Reference, image: Reference): boolean {
  return extra.tag === undefined && extraName(extra) === extraName(image);
}
