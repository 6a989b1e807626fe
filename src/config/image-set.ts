import { z } from 'zod';
import type { Place } from '../lib/reporter.ts';
import { type Platform, parsePlatform } from '../registry/platform.ts';
import { parseRepository, type Reference, type Repository } from '../registry/reference.ts';
import { type Document, type Path, readDocument } from './document.ts';
import {
  type ImageName,
  KUBERNETES_REGISTRY,
  namesOldRegistry,
  OLD_KUBERNETES_REGISTRY,
  parseExtra,
  parseImageName,
  parsePrefix,
  parseSourceName,
  withoutKubernetesHost,
} from './image-name.ts';
import { ConfigurationFailure, type Notice, type Problem } from './problem.ts';
import { type TagFilter, tagFilterSchema } from './tag-filter.ts';
import { textOf, validate } from './validation.ts';

/** A value of a file and where it stands there. */
export interface Entry<Value> {
  readonly value: Value;
  readonly place: Place;
}

/** What is different for one image. */
export interface Patch {
  readonly match: ImageName;
  /** The name at the destination, below its namespace, instead of the one that `--naming` gives. */
  readonly name?: Repository | undefined;
  /** The filter that takes the place of the set's own, as a whole. */
  readonly tags?: TagFilter | undefined;
  /** The platforms to mirror instead of those of `--platform`; an empty list means all. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly place: Place;
}

/** Which images to mirror: an `image_set.json` that was found to be in order. */
export interface ImageSet {
  readonly file: string;
  /** Repositories of the source registry, each named exactly. No `exclude` drops them, but it drops tags of theirs. */
  readonly names: readonly Entry<ImageName>[];
  /** What the names of further repositories of the source registry start with. */
  readonly prefixes: readonly Entry<string>[];
  /** Texts that no name found by a prefix, and no tag found by listing, may contain. */
  readonly exclude: readonly string[];
  /** Images of other registries; without a tag all their tags that the filters let pass. */
  readonly extras: readonly Entry<Reference>[];
  readonly patches: ReadonlyMap<ImageName, Patch>;
  readonly tags: TagFilter;
  /** What was read otherwise than it is written; to be shown as warnings. */
  readonly notices: readonly Notice[];
}

/** Go writes an empty list as null, so files that a Go tool wrote have it. */
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

function oldNames(document: Document, value: unknown = document.value, path: Path = []): Notice[] {
  if (typeof value === 'string' && namesOldRegistry(value)) {
    const message = `${OLD_KUBERNETES_REGISTRY} is frozen since 2023; read as ${KUBERNETES_REGISTRY}/${withoutKubernetesHost(value)}`;
    return [{ place: document.place(path), message }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    oldNames(document, inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** Reads an image set out of a document. Throws `CONFIGURATION_MALFORMED` with every problem that it has. */
export function parseImageSet(document: Document): ImageSet {
  const parsed = validate(document, imageSetSchema);
  const entries = <Value>(key: string, values: readonly Value[]): Entry<Value>[] =>
    values.map((value, index) => ({ value, place: document.place([key, index]) }));
  const problems = repeatedPatches(
    document,
    parsed.patches.map((patch) => patch.match),
  );
  if (parsed.names.length + parsed.prefixes.length + parsed.extras.length === 0) {
    problems.push({
      place: document.place([]),
      message: 'the set has no image: give "names", "prefixes" or "extras"',
    });
  }
  if (problems.length > 0) throw new ConfigurationFailure(document.file, problems);
  const prefixes = entries('prefixes', parsed.prefixes);
  const everything = prefixes.filter((prefix) => prefix.value === '');
  return {
    file: document.file,
    names: entries('names', parsed.names),
    prefixes,
    exclude: parsed.exclude,
    extras: entries('extras', parsed.extras),
    patches: new Map(
      parsed.patches.map((patch, index) => [
        patch.match,
        { ...patch, place: document.place(['patches', index, 'match']) },
      ]),
    ),
    tags: parsed.tags ?? {},
    notices: [
      ...everything.map(({ place }) => ({ place, message: 'an empty prefix matches every repository' })),
      ...oldNames(document),
    ],
  };
}

/** Reads an image set file. Throws `CONFIGURATION_UNREADABLE` or `CONFIGURATION_MALFORMED`. */
export async function readImageSet(file: string): Promise<ImageSet> {
  return parseImageSet(await readDocument(file));
}
