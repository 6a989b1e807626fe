import { type Answer, json, refusal } from './answer.ts';
import type { Exchange } from './exchange.ts';
import type { Quirks } from './quirks.ts';
import type { Storage, StoredManifest, StoredRepository } from './storage.ts';

/** How tags are listed. */
export interface ListingStyle {
  /** `google` adds `child` and `manifest`, as gcr.io, Artifact Registry and so registry.k8s.io do. */
  readonly style?: 'plain' | 'google';
  /** At most so many tags an answer, whatever the client's `n` says; without it only `n` makes pages. */
  readonly pageSize?: number;
  readonly link?: 'relative' | 'absolute';
  /** Ignore `n` and `last`, as distribution 2.8 does. */
  readonly ignorePaging?: boolean;
  /** What the answer says as `name`; by default the repository, with the backend's prefix. */
  readonly nameOf?: (repository: string) => string;
  readonly order?: 'sorted' | 'stored';
}

interface SizedBody {
  readonly config?: { readonly size?: number };
  readonly layers?: readonly { readonly size?: number }[];
}

function contentBytes(manifest: StoredManifest): number {
  const body: SizedBody = JSON.parse(manifest.bytes.toString('utf8'));
  const layers = (body.layers ?? []).reduce((sum, { size }) => sum + (size ?? 0), 0);
  return manifest.bytes.length + (body.config?.size ?? 0) + layers;
}

function describeManifest(manifest: StoredManifest, tags: readonly string[]): Record<string, unknown> {
  return {
    imageSizeBytes: String(contentBytes(manifest)),
    layerId: '',
    mediaType: manifest.mediaType,
    tag: tags,
    timeCreatedMs: String(manifest.uploaded),
    timeUploadedMs: String(manifest.uploaded),
  };
}

function manifestMap(stored: StoredRepository): Record<string, unknown> {
  const tagsOf = Map.groupBy(stored.tags, ([, digest]) => digest);
  return Object.fromEntries(
    [...stored.manifests.values()].map((manifest) => [
      manifest.digest,
      describeManifest(
        manifest,
        (tagsOf.get(manifest.digest) ?? []).map(([tag]) => tag),
      ),
    ]),
  );
}

/** Returns the first path components below a repository path: `child` of the Google listing. */
function childrenOf(storage: Storage, path: string): string[] {
  const below = path === '' ? '' : `${path}/`;
  const children = [...storage.repositories.keys()]
    .filter((name) => name.startsWith(below))
    .flatMap((name) => name.slice(below.length).split('/')[0] ?? []);
  return [...new Set(children)].filter((child) => child !== '').sort();
}

function page(exchange: Exchange, style: ListingStyle, all: readonly string[]): [string[], string?] {
  if (style.ignorePaging === true) return [[...all]];
  const asked = Number(exchange.url.searchParams.get('n') ?? Number.POSITIVE_INFINITY);
  const size = Math.min(asked, style.pageSize ?? Number.POSITIVE_INFINITY);
  const last = exchange.url.searchParams.get('last');
  const start = last === null ? 0 : all.indexOf(last) + 1;
  const tags = all.slice(start, start + size);
  const lastTag = tags.at(-1);
  if (lastTag === undefined || start + size >= all.length) return [tags];
  const next = new URL(`${exchange.url.origin}${exchange.url.pathname}`);
  next.searchParams.set('last', lastTag);
  next.searchParams.set('n', String(size));
  return [tags, style.link === 'absolute' ? next.href : `${next.pathname}${next.search}`];
}

/** Answers `tags/list` (distribution-spec, "Listing Tags"), with the Google extension where the style asks. */
export function listTags(exchange: Exchange, storage: Storage, style: ListingStyle, quirks: Quirks): Answer {
  const { repository } = exchange.entry;
  if (quirks.refuseTagsList !== undefined) {
    return refusal(quirks.refuseTagsList, quirks.refuseTagsList === 404 ? 'NAME_UNKNOWN' : 'DENIED');
  }
  const stored = storage.repositories.get(repository);
  const google = style.style === 'google';
  const children = google ? childrenOf(storage, repository) : [];
  if (stored === undefined && children.length === 0 && !(google && repository === '')) {
    return refusal(404, 'NAME_UNKNOWN', 'repository name not known to registry');
  }
  const names = [...(stored?.tags.keys() ?? [])];
  if (style.order !== 'stored') names.sort();
  if (quirks.digestsAmongTags === true) names.push(...(stored?.manifests.keys() ?? []));
  const [tags, next] = page(exchange, style, names);
  const name = style.nameOf?.(repository) ?? `${exchange.prefix}${repository}`.replace(/\/$/, '');
  const body = google
    ? { child: children, manifest: stored === undefined ? {} : manifestMap(stored), name, tags }
    : { name, tags: quirks.nullTags === true && tags.length === 0 ? null : tags };
  return json(200, body, next === undefined ? {} : { link: `<${next}>; rel="next"` });
}

/** Answers `_catalog` in pages of `n`, as distribution does. */
export function listCatalog(exchange: Exchange, storage: Storage): Answer {
  const [repositories, next] = page(exchange, {}, [...storage.repositories.keys()].sort());
  return json(200, { repositories }, next === undefined ? {} : { link: `<${next}>; rel="next"` });
}
