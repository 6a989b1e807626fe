import { gzipSync } from 'node:zlib';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { endless } from './lies.ts';

/** An answer of the right kind, size and type that is of another shape than it should, and how a run ends that gets it. */
export interface WrongShape {
  readonly name: string;
  /** Which question it answers. */
  readonly kind: RequestKind;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The size of its body in bytes when that is unpacked, where it is compressed. */
  readonly unpacked?: number;
  /** Its body, made anew for each answer. */
  readonly pieces: () => Iterable<Buffer>;
  /** What the run says of it. */
  readonly told: string;
  /** Of `synctl sync`, besides the usual ones. */
  readonly flags?: readonly string[];
}

const MEBIBYTE = 1024 * 1024;
/** What registries take as a manifest, nearly. */
const MANIFEST = 4 * MEBIBYTE - 200_000;
/** What lists may have, nearly. */
export const LONG_LIST = 62 * MEBIBYTE;

/** JSON of nearly so many bytes: the same over and over between a beginning and an end. */
function* filled(
  before: string,
  item: (at: number) => string,
  after: string,
  bytes: number,
): Generator<Buffer> {
  yield* endless(before, (at) => `${item(at)},`, bytes - 300_000);
  yield Buffer.from(`${item(-1)}${after}`);
}

/** A text that no other number has, and as short as it can be. */
const short = (at: number): string => `"${(at + 1).toString(36)}"`;
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const digest = (at: number): string => `sha256:${(at + 1).toString(16).padStart(64, '0')}`;
const CONFIG = `{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"${DIGEST}","size":7}`;
const IMAGE = `{"schemaVersion":2,"mediaType":"${MEDIA_TYPE.ociManifest}","config":${CONFIG},"layers":`;
const INDEX = `{"schemaVersion":2,"mediaType":"${MEDIA_TYPE.ociIndex}","manifests":`;
const VALUES = 'it has far too many values for its length';
const TOO_LONG = 'one of its items is longer than 4 MiB';
const NO_NAMES = 'more than 100 of its entries are not names';

function manifest(
  name: string,
  before: string,
  item: (at: number) => string,
  after: string,
  told = VALUES,
): WrongShape {
  return { name, kind: 'manifest-get', pieces: () => filled(before, item, after, MANIFEST), told };
}

function tagList(name: string, pieces: () => Iterable<Buffer>, told: string): WrongShape {
  return { name, kind: 'tags-list', pieces, told };
}

/** Returns answers that once took gigabytes and minutes, and their kin; lists have so many bytes. */
export function wrongShapes(list: number): readonly WrongShape[] {
  return [
    manifest('an index of {}', `${INDEX}[`, () => '{}', ']}'),
    manifest('an image with layers of {}', `${IMAGE}[`, () => '{}', ']}'),
    manifest('an image with layers of []', `${IMAGE}[`, () => '[]', ']}'),
    manifest('an image with layers of numbers', `${IMAGE}[`, () => '1', ']}'),
    manifest(
      'a million annotations in one descriptor',
      `${IMAGE}[{"annotations":{`,
      (at) => `${short(at)}:""`,
      '}}]}',
    ),
    manifest('a million empty addresses in one descriptor', `${IMAGE}[{"urls":[`, () => '""', ']}]}'),
    manifest('a field that nobody reads, of {}', `${IMAGE}[],"x":[`, () => '{}', ']}'),
    manifest(
      'a field that nobody reads, of objects of other shapes each',
      `${IMAGE}[],"x":[`,
      (at) => `{${short(at)}:1}`,
      ']}',
    ),
    manifest(
      'lists within each other',
      `${IMAGE}[],"x":`,
      () => '[['.repeat(1000),
      '}',
      'nests lists and objects more than 100 deep',
    ),
    manifest(
      'an index of sound descriptors but the first one',
      `${INDEX}[{},`,
      (at) => CONFIG.replace(DIGEST, digest(at)),
      ']}',
      'the index is malformed',
    ),
    manifest(
      'an index of wrong digests',
      `${INDEX}[`,
      () => CONFIG.replace(DIGEST, 'sha256:0'.padEnd(60, '0')),
      ']}',
      'the index is malformed',
    ),
    tagList('tags that are numbers', () => filled('{"tags":[', () => '1', ']}', list), NO_NAMES),
    tagList('tags that are {}', () => filled('{"tags":[', () => '{}', ']}', list), NO_NAMES),
    tagList('tags that are null', () => filled('{"tags":[', () => 'null', ']}', list), NO_NAMES),
    tagList(
      'numbers after a thousand tags',
      () => filled(`{"tags":[${'"v1",'.repeat(1000)}`, () => '1', ']}', list),
      NO_NAMES,
    ),
    tagList(
      'very many short tags',
      () => filled('{"tags":[', short, ']}', list),
      'it has more than 200000 names',
    ),
    tagList('children that are {}', () => filled('{"child":[', () => '{}', '],"tags":[]}', list), NO_NAMES),
    tagList(
      'manifests that are numbers',
      () => filled('{"tags":[],"manifest":{', (at) => `"${digest(at)}":1`, '}}', list),
      NO_NAMES,
    ),
    tagList(
      'one manifest with all tags',
      () => filled(`{"tags":[],"manifest":{"${DIGEST}":{"tag":[`, short, ']}}}', list),
      TOO_LONG,
    ),
    tagList(
      'a field that nobody reads, of []',
      () => filled('{"tags":[],"x":[', () => '[]', ']}', list),
      VALUES,
    ),
    tagList('one tag of many megabytes', () => filled('{"tags":["', () => 'x', '"]}', list), TOO_LONG),
    tagList(
      'very many fields',
      () => filled('{', (at) => `${short(at)}:1`, ',"tags":[]}', list),
      'it has more than 1000 members',
    ),
    tagList('nothing but white space', () => endless('{"tags":[', () => ' '.repeat(1000), list), TOO_LONG),
    tagList(
      'a list with another list at its end',
      () => filled('{"tags":[],"tags":[', () => '1', ']}', list),
      'does not follow the protocol',
    ),
    {
      ...tagList(
        'numbers that were compressed',
        () => [gzipSync(Buffer.concat([...filled('{"tags":[', () => '1', ']}', list)]))],
        NO_NAMES,
      ),
      headers: { 'content-encoding': 'gzip' },
      unpacked: list,
    },
    {
      name: 'a catalogue of {}',
      kind: 'catalog',
      pieces: () => filled('{"repositories":[', () => '{}', ']}', list),
      told: NO_NAMES,
    },
    {
      name: 'referrers that are {}',
      kind: 'referrers',
      pieces: () => filled('{"manifests":[', () => '{}', ']}', list),
      flags: ['--signatures', 'copy'],
      // As where a source does not have that API.
      told: '1 copied',
    },
    {
      name: 'a token beside many {}',
      kind: 'token',
      pieces: () => filled('{"token":"t","x":[', () => '{}', ']}', MEBIBYTE),
      told: 'its token service answered without a token',
    },
    {
      name: 'errors that are {}',
      kind: 'manifest-get',
      status: 403,
      pieces: () => filled('{"errors":[', () => '{}', ']}', 370_000),
      told: 'the registry answered 403',
    },
    {
      name: 'a refusal of a token, of {}',
      kind: 'token',
      status: 403,
      pieces: () => filled('{"errors":[', () => '{}', ']}', MEBIBYTE),
      told: 'the registry answered 403',
    },
  ];
}
