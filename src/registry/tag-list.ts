import { z } from 'zod';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { UnreasonableJson } from '../lib/json.ts';
import { readMembers } from '../lib/json-members.ts';
import { listOf, TEXT_FIELD } from '../lib/zero-value.ts';
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
  /** Whether it ends where lists are cut, and the rest could not be read. */
  readonly isCut?: boolean | undefined;
}

/** An answer in place of a list that is a page for people, or empty. A list that was cut starts as JSON, this does not. */
export class NotJson extends SyntaxError {
  override readonly name = 'NotJson';
}

function isJsonBegun(body: Buffer): boolean {
  return /^\s*[{["n]/.test(body.subarray(0, 100).toString().replace('\uFEFF', ''));
}

/** No repository is known to have more than 100,000 tags, and choosing among far more takes long. */
const NAMES_LIMIT = 200_000;
/** Some registries have a number or `null` among their tags. An answer with more of them is no list of names. */
const ODD_LIMIT = 100;

/** Collects the names in a list. The rest is skipped, such as the digests that Artifactory lists among tags. */
class Names<Name extends string> {
  readonly found: Name[] = [];
  readonly #isName: (text: string) => text is Name;
  #odd = 0;

  constructor(isName: (text: string) => text is Name) {
    this.#isName = isName;
  }

  /** Adds the names among some items. Throws `UnreasonableJson` at the first item that is one too many. */
  readonly add = (items: readonly unknown[]): void => {
    for (const item of items) {
      if (typeof item !== 'string') this.odd();
      else if (this.#isName(item)) this.found.push(item);
    }
    requireFew(this.found.length);
  };

  /** Counts an item that is of another kind. */
  odd(): void {
    this.#odd += 1;
    if (this.#odd > ODD_LIMIT)
      throw new UnreasonableJson(`more than ${ODD_LIMIT} of its entries are not names`);
  }
}

function requireFew(names: number): void {
  if (names > NAMES_LIMIT) throw new UnreasonableJson(`it has more than ${NAMES_LIMIT} names`);
}

const listedShape = z.object({
  tag: listOf(z.unknown()).catch([]),
  timeUploadedMs: TEXT_FIELD.catch(undefined),
});

function uploadTime(milliseconds: string | undefined): { uploaded: Date } | undefined {
  const time = Number(milliseconds ?? Number.NaN);
  return time > 0 && time < 8.64e15 ? { uploaded: new Date(time) } : undefined;
}

function isChild(name: string): name is Repository {
  return isRepository(name) && !name.includes('/');
}

/**
 * Reads one page of `tags/list` (distribution-spec, "Listing Tags", with Google's `child` and `manifest`). Skips
 * entries that are not tags (Artifactory lists digests); `null` and `"tags": null` are empty lists. `about` is the name
 * of the repository. Throws `REGISTRY_BROKEN`.
 */
export async function parseTagList(body: Buffer, about: string): Promise<TagList> {
  const tags = new Names(isTag);
  const children = new Names(isChild);
  const manifests = new Map<Tag, ListedManifest>();
  const addManifests = (entries: readonly (readonly [string, unknown])[]): void => {
    for (const [digest, held] of entries) {
      const { success, data } = listedShape.safeParse(held);
      if (!success) tags.odd();
      else if (isDigest(digest)) {
        const listed = { digest, ...uploadTime(data.timeUploadedMs) };
        for (const name of data.tag) if (typeof name === 'string' && isTag(name)) manifests.set(name, listed);
      }
    }
    requireFew(manifests.size);
  };
  try {
    await readMembers(body, {
      tags: { of: 'list', take: tags.add },
      child: { of: 'list', take: children.add },
      manifest: { of: 'object', take: addManifests },
    });
  } catch (cause) {
    throw malformed(body, { about, what: 'tag list', cause });
  }
  return { tags: tags.found, children: children.found, manifests };
}

/**
 * Reads one page of `_catalog` (distribution-spec extension) and skips entries that are not repositories. Throws
 * `REGISTRY_BROKEN`.
 */
export async function parseCatalogue(body: Buffer, about: string): Promise<Repository[]> {
  const repositories = new Names(isRepository);
  try {
    await readMembers(body, { repositories: { of: 'list', take: repositories.add } });
  } catch (cause) {
    throw malformed(body, { about, what: 'catalogue', cause });
  }
  return repositories.found;
}

function malformed(
  body: Buffer,
  { about, what, cause }: { readonly about: string; readonly what: string; readonly cause: unknown },
): HttpFailure<'REGISTRY_BROKEN'> {
  const why = cause instanceof UnreasonableJson ? `: ${cause.message}` : '';
  const message = `its ${what} does not follow the protocol${why}`;
  const reason = isJsonBegun(body) ? cause : new NotJson(message, { cause });
  return new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, transient: why === '', cause: reason });
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
