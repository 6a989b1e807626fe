import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../../registry/oci/digest.ts';
import {
  type Host,
  parseHost,
  parseRepository,
  parseTag,
  type Repository,
  type Tag,
} from '../../registry/oci/reference.ts';
import {
  digestBytes,
  digestIn,
  numberIn,
  type Row,
  readable,
  textIn,
  timeIn,
  wholeSeconds,
} from './column.ts';
import { ensureRepository, type RepositoryAddress } from './repository-rows.ts';
import { statement } from './statement.ts';

/** An image that a run saw at the destination, and the source image it was made from. */
export interface SeenImage {
  /** The tag at the destination. */
  readonly tag: Tag;
  readonly source: RepositoryAddress & { readonly tag: Tag };
  readonly sourceDigest: Digest;
  /** Differs from `sourceDigest` where platforms were chosen or the format was converted. */
  readonly pushedDigest: Digest;
  /** The settings that shape content, as one text. Equal texts result in equal digests for the same source. */
  readonly options: string;
  /** Size of all manifests and blobs of the image; 0 if it is not known, because no run pushed all of it. */
  readonly bytes: number;
  /** When it was pushed if that is not now: earlier, or `unknown` if a run only found it. */
  readonly pushed?: Date | 'unknown' | undefined;
}

/** An image in the state. Both times are in whole seconds. */
export interface RecordedImage extends Omit<SeenImage, 'pushed'> {
  /** Undefined if no run pushed it: it was found there. */
  readonly pushed: Date | undefined;
  /** When the destination last confirmed that the tag has this digest. */
  readonly confirmed: Date;
}

/** The recorded contents of a destination repository, in numbers. */
export interface RepositorySummary {
  readonly destination: { readonly host: Host; readonly repository: Repository };
  readonly tags: number;
  /** Of the tags whose size is known. */
  readonly bytes: number;
  /** The number of tags whose size is not known. */
  readonly unsized: number;
  /** When the last of them was pushed. Undefined if no run pushed any. */
  readonly pushed: Date | undefined;
}

const COLUMNS = `image.tag, repository.host, repository.path, source_tag, source_digest, pushed_digest,
  content_options.key, bytes, pushed, confirmed`;
const SOURCES = `JOIN repository ON repository.id = image.source
JOIN content_options ON content_options.id = image.options`;
const DESTINATION = 'image.destination = (SELECT id FROM repository WHERE host = ? AND path = ?)';

/** Returns the images recorded for tags of a destination repository, by their tags. */
export function readImagesOf(
  database: DatabaseSync,
  { host, repository }: RepositoryAddress,
  tags: readonly Tag[],
): ReadonlyMap<Tag, RecordedImage> {
  // One statement for many tags takes half the time of one for each.
  const rows = statement(
    database,
    `SELECT ${COLUMNS} FROM json_each(?) AS wanted
CROSS JOIN image ON ${DESTINATION} AND image.tag = wanted.value ${SOURCES}`,
  ).all(JSON.stringify(tags), host, repository);
  return new Map(readable(rows, imageIn).map((image) => [image.tag, image]));
}

/** Reads the images recorded for a destination repository one by one: there may be a million. */
export function* readImages(
  database: DatabaseSync,
  { host, repository }: RepositoryAddress,
): Generator<RecordedImage, void> {
  const select = database.prepare(`SELECT ${COLUMNS} FROM image ${SOURCES} WHERE ${DESTINATION}`);
  for (const row of select.iterate(host, repository)) yield* readable([row], imageIn);
}

function imageIn(row: Row): RecordedImage {
  const host = parseHost(textIn(row, 'host'));
  const repository = parseRepository(textIn(row, 'path'));
  const tag = parseTag(textIn(row, 'tag'));
  const sourceTag = row['source_tag'] === null ? tag : parseTag(textIn(row, 'source_tag'));
  const sourceDigest = digestIn(row, 'source_digest');
  return {
    tag,
    source: { host, repository, tag: sourceTag },
    sourceDigest,
    pushedDigest: row['pushed_digest'] === null ? sourceDigest : digestIn(row, 'pushed_digest'),
    options: textIn(row, 'key'),
    bytes: numberIn(row, 'bytes'),
    pushed: pushIn(row),
    confirmed: timeIn(row, 'confirmed'),
  };
}

/** The time of a push that no run made. Older versions show it as a day in 1970. */
const NOT_PUSHED = 0;

function pushIn(row: Row): Date | undefined {
  return numberIn(row, 'pushed') === NOT_PUSHED ? undefined : timeIn(row, 'pushed');
}

function pushTime(pushed: SeenImage['pushed'], now: Date): number {
  return pushed === 'unknown' ? NOT_PUSHED : wholeSeconds(pushed ?? now);
}

/**
 * Records images as confirmed at the time `now`, and as pushed then unless they say otherwise, and replaces what was
 * recorded for their tags.
 */
export function writeImages(
  database: DatabaseSync,
  destination: number,
  images: readonly SeenImage[],
  now: Date,
): void {
  if (images.length === 0) return;
  const insert = statement(database, 'INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const time = wholeSeconds(now);
  const sources = new Map<string, number>();
  const options = new Map<string, number>();
  for (const image of images) {
    const { host, repository } = image.source;
    const source = sources.get(`${host}/${repository}`) ?? ensureRepository(database, image.source);
    const option = options.get(image.options) ?? ensureOptions(database, image.options);
    sources.set(`${host}/${repository}`, source);
    options.set(image.options, option);
    insert.run(
      destination,
      image.tag,
      source,
      image.source.tag === image.tag ? null : image.source.tag,
      digestBytes(image.sourceDigest),
      image.pushedDigest === image.sourceDigest ? null : digestBytes(image.pushedDigest),
      option,
      image.bytes,
      pushTime(image.pushed, now),
      time,
    );
  }
}

/** Records that the destination confirmed the recorded digests of tags at the time `now`. */
export function confirmImages(
  database: DatabaseSync,
  destination: number,
  tags: readonly Tag[],
  now: Date,
): void {
  const update = statement(database, 'UPDATE image SET confirmed = ? WHERE destination = ? AND tag = ?');
  for (const tag of tags) update.run(wholeSeconds(now), destination, tag);
}

/** Returns all recorded destination repositories, ordered by name. */
export function summariseRepositories(database: DatabaseSync): RepositorySummary[] {
  const rows = statement(
    database,
    `SELECT host, path, count(*) AS tags, sum(bytes) AS bytes, sum(bytes = 0) AS unsized, max(pushed) AS pushed
FROM image JOIN repository ON repository.id = image.destination GROUP BY host, path ORDER BY host, path`,
  ).all();
  return readable(rows, (row) => ({
    destination: { host: parseHost(textIn(row, 'host')), repository: parseRepository(textIn(row, 'path')) },
    tags: numberIn(row, 'tags'),
    bytes: numberIn(row, 'bytes'),
    unsized: numberIn(row, 'unsized'),
    pushed: pushIn(row),
  }));
}

function ensureOptions(database: DatabaseSync, key: string): number {
  const known = statement(database, 'SELECT id FROM content_options WHERE key = ?').get(key);
  if (known !== undefined) return numberIn(known, 'id');
  return Number(statement(database, 'INSERT INTO content_options (key) VALUES (?)').run(key).lastInsertRowid);
}
