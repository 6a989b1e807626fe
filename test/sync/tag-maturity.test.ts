import { describe, expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { parseHost, parseRepository, parseTag, type Tag } from '../../src/registry/oci/reference.ts';
import type { TagList } from '../../src/registry/tag-list.ts';
import { TagMaturity, TooYoung } from '../../src/sync/plan/tag-maturity.ts';
import type { Sighting } from '../../src/sync/state/sighting-rows.ts';
import type { SightingLog } from '../support/forgetful-log.ts';
import { plannedImage, recordedImage } from '../support/planned-image.ts';
import { digestFor } from '../support/sample-manifest.ts';

const NOW = new Date('2026-11-30T12:00:00Z');
const hours = (count: number): Date => new Date(NOW.getTime() - count * 3_600_000);
const [A, B] = [digestFor('a'), digestFor('b')];

describe('the age of a tag', () => {
  const minimumAge = milliseconds(10_000 * 3_600_000);
  const WATCHED = { 'v0.9.0': { digest: B, seen: hours(999) } };
  interface Case {
    readonly uploaded?: Date;
    readonly rows?: Readonly<Record<string, Sighting>>;
    readonly mirrored?: typeof A;
  }
  it.each<[string, Case, Date]>([
    ['the upload, in a repository that no run saw before', { uploaded: hours(100) }, hours(100)],
    ['now, without any time', {}, NOW],
    ['now, for an upload in the future', { uploaded: hours(-1) }, NOW],
    ['now, for an upload before there were registries', { uploaded: new Date(1) }, NOW],
    [
      'the first sight, whatever the registry says later',
      { rows: { ...WATCHED, '3.10': { digest: A, seen: hours(50) } }, uploaded: hours(900) },
      hours(50),
    ],
    ['now, for a first sight in the future', { rows: { '3.10': { digest: A, seen: hours(-9) } } }, NOW],
    [
      'now, for a tag that moved since it was seen',
      { rows: { '3.10': { digest: B, seen: hours(900) } }, uploaded: hours(900) },
      NOW,
    ],
    ['now, for a tag that moved since it was mirrored', { mirrored: B, uploaded: hours(900) }, NOW],
    [
      'now, for a new tag in a repository that was seen, though its image was uploaded long ago',
      { rows: WATCHED, uploaded: hours(900) },
      NOW,
    ],
  ])('begins with %s', (_, { uploaded, rows = {}, mirrored }, expected) => {
    const memory = log();
    for (const [tag, sighting] of Object.entries(rows)) memory.rows.set(parseTag(tag), sighting);
    const recorded = mirrored && recordedImage({ sourceDigest: mirrored });
    const image = plannedImage({ sourceDigest: A, uploaded, recorded, minimumAge });
    const young = new TagMaturity({ log: memory, now: NOW }).judge(image, A);
    expect(young?.oldEnough).toEqual(new Date(expected.getTime() + minimumAge));
    expect(memory.rows.get(parseTag('3.10'))).toEqual({ digest: A, seen: expect.any(Date) });
  });

  it('does not matter for what was mirrored before', () => {
    const image = plannedImage({ sourceDigest: A, recorded: recordedImage({ sourceDigest: A }), minimumAge });
    expect(new TagMaturity({ log: log(), now: NOW }).judge(image, A)).toBeUndefined();
  });

  it('is that of the digest that the tag has now, and not of the listed one', () => {
    const image = plannedImage({ sourceDigest: B, uploaded: hours(99_999), minimumAge });
    expect(new TagMaturity({ log: log(), now: NOW }).judge(image, A)).toBeInstanceOf(TooYoung);
  });
});

const SOURCE = { host: parseHost('registry.example.com'), repository: parseRepository('app') };

/** A log as a state keeps it. */
function log(): SightingLog & { readonly rows: Map<Tag, Sighting> } {
  const rows = new Map<Tag, Sighting>();
  return {
    rows,
    sightings: () => rows,
    sight: (_, news, gone = []) => {
      for (const [tag, sighting] of news) rows.set(tag, sighting);
      for (const tag of gone) rows.delete(tag);
    },
  };
}

function listing(
  tags: Readonly<Record<string, { readonly digest: typeof A; readonly uploaded?: Date }>>,
): TagList {
  const manifests = new Map(Object.entries(tags).map(([tag, listed]) => [parseTag(tag), listed]));
  return { tags: [...manifests.keys()], children: [], manifests };
}

describe('the young tags in a listing', () => {
  const minimumAge = milliseconds(48 * 3_600_000);
  const nothing = { minimumAge, mirrored: () => undefined };
  const at = (memory: SightingLog, now = NOW) => new TagMaturity({ log: memory, now });

  it('are those whose upload is not long ago, and the others are kept as seen', () => {
    const memory = log();
    const listed = listing({
      'v1.0.0': { digest: A, uploaded: hours(48) },
      'v1.1.0': { digest: B, uploaded: hours(47) },
    });
    expect([...at(memory).youngIn(SOURCE, listed, nothing)]).toEqual(['v1.1.0']);
    expect([...memory.rows].map(([tag, { seen }]) => [tag, seen])).toEqual([
      ['v1.0.0', hours(48)],
      ['v1.1.0', hours(47)],
    ]);
  });

  it('are those that a source lists without a digest, until they were seen for long enough', () => {
    const memory = log();
    const bare: TagList = { tags: [parseTag('v1.0.0')], children: [], manifests: new Map() };
    expect([...at(memory, hours(60)).youngIn(SOURCE, bare, nothing)]).toEqual(['v1.0.0']);
    at(memory, hours(60)).sight({ ...SOURCE, tag: parseTag('v1.0.0') }, A);
    expect([...at(memory, hours(13)).youngIn(SOURCE, bare, nothing)]).toEqual(['v1.0.0']);
    expect([...at(memory, hours(12)).youngIn(SOURCE, bare, nothing)]).toEqual([]);
  });

  it('are not those that were mirrored before, nor signatures', () => {
    const listed = listing({ 'v1.0.0': { digest: A }, [`sha256-${'ab'.repeat(32)}.sig`]: { digest: B } });
    expect([...at(log()).youngIn(SOURCE, listed, { minimumAge, mirrored: () => A })]).toEqual([]);
    expect([
      ...at(log()).youngIn(SOURCE, listed, { minimumAge: milliseconds(0), mirrored: () => undefined }),
    ]).toEqual([]);
  });

  it('are forgotten when they are no longer listed, and young when they come back', () => {
    const memory = log();
    const listed = listing({
      'v1.0.0': { digest: A, uploaded: hours(900) },
      'v1.1.0': { digest: B, uploaded: hours(900) },
    });
    expect([...at(memory).youngIn(SOURCE, listed, nothing)]).toEqual([]);
    at(memory).youngIn(SOURCE, listing({ 'v1.0.0': { digest: A, uploaded: hours(900) } }), nothing);
    expect([...memory.rows.keys()]).toEqual(['v1.0.0']);
    expect([...at(memory).youngIn(SOURCE, listed, nothing)]).toEqual(['v1.1.0']);
  });

  it('do not fill the state, however many a source lists each night', () => {
    const memory = log();
    const flood = (night: string): TagList =>
      listing(
        Object.fromEntries(
          Array.from({ length: 30_000 }, (_, index) => [`${night}-${index}`, { digest: A }]),
        ),
      );
    for (const night of ['a', 'b', 'c']) at(memory).youngIn(SOURCE, flood(night), nothing);
    expect(memory.rows.size).toBe(10_000);
    const cut = { ...flood('d'), isCut: true };
    expect(at(memory).youngIn(SOURCE, cut, nothing).size).toBe(30_000);
    expect(memory.rows.size, 'a list that is cut makes nothing forgotten').toBe(10_000);
  });
});
