import { z } from 'zod';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { readJson } from '../lib/json.ts';
import { listOf, recordOf, TEXT_FIELD } from '../lib/zero-value.ts';
import { type Digest, isDigest } from './oci/digest.ts';
import { isRepository, isTag, type Repository, type Tag } from './oci/reference.ts';

/** What a list with Google's extension contains about a tag. */
interface ListedManifest {
  readonly digest: Digest;
  readonly uploaded?: Date | undefined;
}

/** The tags of a repository. From registries with Google's extension also their digests and the repositories below. */
export interface TagList {
  readonly tags: readonly Tag[];
  /** The next path component of each repository below this one. */
  readonly children: readonly string[];
  readonly manifests: ReadonlyMap<Tag, ListedManifest>;
  /** Whether the pages of the list had no end, so that tags may be missing. */
  readonly isCircular?: boolean | undefined;
  /** Whether it ends where lists are cut, and the rest could not be had. */
  readonly isCut?: boolean | undefined;
}

/** What came in place of a list is a page for people, or nothing: not even the beginning of JSON, as if it was cut. */
export class NotJson extends SyntaxError {
  override readonly name = 'NotJson';
}

function isJsonBegun(body: Buffer): boolean {
  return /^\s*[{["n]/.test(body.subarray(0, 100).toString().replace('\uFEFF', ''));
}

/** A list may have 100,000 names, so they are looked at together and not each by a shape of its own. */
const names = listOf(z.unknown()).transform((list) => list.filter((name) => typeof name === 'string'));

const listedShape = z.object({
  tag: names,
  timeUploadedMs: TEXT_FIELD.catch(undefined),
});

const listShape = z.object({
  tags: names,
  child: names,
  manifest: recordOf(listedShape.catch({ tag: [], timeUploadedMs: undefined })),
});

function uploadTime(milliseconds: string | undefined): { uploaded: Date } | undefined {
  const time = Number(milliseconds ?? Number.NaN);
  return time > 0 && time < 8.64e15 ? { uploaded: new Date(time) } : undefined;
}

/**
 * Reads one page of `tags/list` (distribution-spec, "Listing Tags", with Google's `child` and `manifest`). Skips
 * entries that are not tags (Artifactory lists digests); `null` and `"tags": null` are empty lists. `about` is the name of the
 * repository. Throws `REGISTRY_BROKEN`.
 */
export function parseTagList(body: Buffer, about: string): TagList {
  let parsed: z.infer<typeof listShape>;
  try {
    parsed = listShape.parse(readJson(body) ?? {});
  } catch (cause) {
    const message = 'its tag list is not what the protocol says';
    const reason = isJsonBegun(body) ? cause : new NotJson(message, { cause });
    throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, transient: true, cause: reason });
  }
  const manifests = new Map<Tag, ListedManifest>();
  for (const [digest, { tag, timeUploadedMs }] of Object.entries(parsed.manifest)) {
    if (!isDigest(digest)) continue;
    const listed = { digest, ...uploadTime(timeUploadedMs) };
    for (const name of tag) if (isTag(name)) manifests.set(name, listed);
  }
  return {
    tags: parsed.tags.filter(isTag),
    children: parsed.child.filter((child) => isRepository(child) && !child.includes('/')),
    manifests,
  };
}

const catalogueShape = z.object({ repositories: names });

/**
 * Reads one page of `_catalog` (distribution-spec extension) and skips entries that are not repositories. Throws
 * `REGISTRY_BROKEN`.
 */
export function parseCatalogue(body: Buffer, about: string): Repository[] {
  try {
    const { repositories } = catalogueShape.parse(readJson(body) ?? {});
    return repositories.filter(isRepository);
  } catch (cause) {
    const message = 'its catalogue is not what the protocol says';
    throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, transient: true, cause });
  }
}

/** Returns the names in a list, of tags and repositories. Tags can be among them twice. */
export function entriesOf({ tags, children, manifests }: TagList): string[] {
  return [...tags, ...children, ...manifests.keys()];
}

/** Returns the pages of a list as one list, each tag once. */
export function joinTagLists(pages: readonly TagList[]): TagList {
  const [first] = pages;
  // Most lists have one page.
  if (first !== undefined && pages.length === 1) return { ...first, tags: [...new Set(first.tags)] };
  return {
    tags: [...new Set(pages.flatMap((page) => page.tags))],
    children: [...new Set(pages.flatMap((page) => page.children))],
    manifests: new Map(pages.flatMap((page) => [...page.manifests])),
  };
}
