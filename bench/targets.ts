import {
  type MeasuredCase,
  middle,
  most,
  type Reading,
  type Results,
  totalRequests,
  writes,
} from './results.ts';

/** What this project wants to reach. */
export interface Target {
  readonly work: string;
  readonly against: string;
  readonly wanted: string;
  /** What was measured, in the unit of `limit`; undefined where it was not. */
  readonly value: (results: Results) => number | undefined;
  readonly show: (value: number) => string;
  readonly isReached: (value: number) => boolean;
}

const seconds: Reading = (sample) => sample.seconds;
const memory: Reading = (sample) => sample.memory;
const connections: Reading = (sample) => sample.connections;
const size: Reading = (sample) => sample.size;

function caseOf(results: Results, id: string): MeasuredCase | undefined {
  return results.cases.find((each) => each.id === id && isOfFullSize(each));
}

/** Targets are for these sizes; what the quick set measures of them shows in its own table only. */
const FULL_SIZES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  unchanged: { tags: 200 },
  'pack-images': { images: 60 },
  upload: { bytes: 1024 ** 3 },
};

function isOfFullSize({ id, facts }: MeasuredCase): boolean {
  return Object.entries(FULL_SIZES[id] ?? {}).every(([name, size]) => facts[name] === size);
}

/** Gives `theirs / ours`. */
function ratio(theirs: number | undefined, ours: number | undefined): number | undefined {
  return theirs === undefined || ours === undefined ? undefined : theirs / ours;
}

interface Comparison {
  readonly work: string;
  readonly id: string;
  readonly against: string;
  /** What is compared, with its name where it is not time. */
  readonly reading?: Reading;
}

const times = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)}×`;

/** So many times as fast, or so many times as small. */
function better(comparison: Comparison, least: number, adjective: string): Target {
  const { work, id, against, reading = seconds } = comparison;
  return {
    work,
    against,
    wanted: `${least}× ${adjective}`,
    value: (results) => {
      const measured = caseOf(results, id);
      return ratio(middle(measured, against, reading), middle(measured, 'keel', reading));
    },
    show: times,
    isReached: (value) => value >= least,
  };
}

/** At most so large a part of the other's. */
function partOf(comparison: Comparison, limit: number, show = times): Target {
  const { work, id, against, reading = seconds } = comparison;
  return {
    work,
    against,
    wanted: `≤ ${show(limit)}`,
    value: (results) => {
      const measured = caseOf(results, id);
      return ratio(middle(measured, 'keel', reading), middle(measured, against, reading));
    },
    show,
    isReached: (value) => value <= limit,
  };
}

interface Reach {
  readonly work: string;
  readonly against?: string;
  readonly limit: number;
  readonly show: (value: number) => string;
  readonly value: (results: Results) => number | undefined;
}

/** At most so much. */
function atMost({ work, against = '', limit, show, value }: Reach): Target {
  return { work, against, wanted: `≤ ${show(limit)}`, value, show, isReached: (found) => found <= limit };
}

const inSeconds = (value: number): string => `${value.toFixed(2)} s`;
const inMebibytes = (value: number): string => `${value.toFixed(0)} MiB`;
const inMegabytes = (value: number): string => `${(value / 1e6).toFixed(1)} MB`;
const asPart = (value: number): string => `${value.toFixed(2)}×`;
const asGrowth = (value: number): string => `${value >= 1 ? '+' : ''}${((value - 1) * 100).toFixed(1)} %`;

function memoryOf(work: string, id: string, contender: string, limit: number): Target {
  const value = (results: Results): number | undefined => most(caseOf(results, id), contender, memory);
  return atMost({ work: `peak memory, ${work}`, limit, show: inMebibytes, value });
}

/** Returns the seconds that bytes take at least; undefined where the case has no cap. */
function timeOnTheLine(measured: MeasuredCase | undefined, bytes: string): number | undefined {
  const amount = measured?.facts[bytes];
  const rate = measured?.facts['bytesPerSecond'];
  return amount === undefined || rate === undefined ? undefined : amount / rate;
}

const uploadTarget: Target = {
  work: 'Kodo upload of 1 GiB',
  against: 'putFileV2; the line',
  wanted: '3× faster, or 95 % of the line',
  value: (results) => {
    const measured = caseOf(results, 'upload');
    return ratio(timeOnTheLine(measured, 'bytes'), middle(measured, 'keel', seconds));
  },
  show: (value) => `${(value * 100).toFixed(1)} % of the line`,
  isReached: (value) => value >= 0.95,
};

/** How the time of a run grows with its tags, against the growth of tags; 1 is linear. */
function growth(results: Results, few: number, many: number): number | undefined {
  const [small, large] = [few, many].map((tags) =>
    middle(caseOf(results, `unchanged-${tags}`), 'keel --verify none', seconds),
  );
  const times10 = ratio(large, small);
  return times10 === undefined ? undefined : times10 / (many / few);
}

const COLD_30 = 'cold mirror, 30 ms';
const UNCHANGED = 'no change, 10,000 tags, 30 ms';

/** Returns all targets, in the order of the table. */
export const TARGETS: readonly Target[] = [
  better({ work: COLD_30, id: 'cold-30', against: 'skopeo' }, 25, 'faster'),
  better({ work: COLD_30, id: 'cold-30', against: 'crane' }, 1.4, 'faster'),
  better({ work: `${COLD_30}, 20 repositories`, id: 'cold-30-full', against: 'skopeo' }, 25, 'faster'),
  better({ work: `${COLD_30}, 20 repositories`, id: 'cold-30-full', against: 'crane' }, 1.4, 'faster'),
  better({ work: 'cold mirror, 0 ms', id: 'cold-0', against: 'skopeo' }, 2.5, 'faster'),
  better({ work: 'cold mirror, 0 ms', id: 'cold-0', against: 'crane' }, 1.1, 'faster'),
  partOf({ work: 'cold mirror, requests', id: 'cold-30', against: 'skopeo', reading: totalRequests }, 0.45),
  partOf({ work: 'cold mirror, connections', id: 'cold-30', against: 'skopeo', reading: connections }, 0.05),
  atMost({
    work: 'cold mirror through 100 Mbit/s, 30 ms',
    against: 'bytes ÷ bandwidth',
    limit: 1.1,
    show: asPart,
    value: (results) => {
      const measured = caseOf(results, 'cold-capped');
      return ratio(middle(measured, 'keel', seconds), timeOnTheLine(measured, 'blobBytes'));
    },
  }),
  partOf({ work: 'one layer of 1 GiB, hash checked', id: 'large-layer', against: 'curl | curl' }, 1.15),
  ...(['none', 'sample'] as const).map((mode) =>
    atMost({
      work: `${UNCHANGED}, state, \`--verify ${mode}\``,
      limit: mode === 'none' ? 1 : 2,
      show: inSeconds,
      value: (results) => middle(caseOf(results, 'unchanged-10000'), `keel --verify ${mode}`, seconds),
    }),
  ),
  atMost({
    work: `${UNCHANGED}, neither state nor digests`,
    limit: 15,
    show: inSeconds,
    value: (results) => middle(caseOf(results, 'unchanged-10000-blind'), 'keel', seconds),
  }),
  better({ work: 'no change, 200 tags, no state', id: 'unchanged', against: 'skopeo' }, 60, 'faster'),
  atMost({
    work: 'no change, 200 tags, no state: writes',
    limit: 0,
    show: (value) => value.toFixed(0),
    value: (results) => most(caseOf(results, 'unchanged'), 'keel', writes),
  }),
  better({ work: 'pack, mixed tree', id: 'pack-mixed', against: 'tar czf' }, 4.5, 'faster'),
  better({ work: 'pack, mixed tree', id: 'pack-mixed', against: 'tar | pigz' }, 1.8, 'faster'),
  partOf(
    { work: 'pack, mixed tree, size', id: 'pack-mixed', against: 'tar czf', reading: size },
    1.015,
    asGrowth,
  ),
  better({ work: 'pack, layers only', id: 'pack-layers', against: 'tar czf' }, 10, 'faster'),
  better(
    { work: '3 versions of each of 20 images', id: 'pack-images', against: 'docker-archives' },
    6,
    'faster',
  ),
  better(
    { work: '3 versions of each of 20 images', id: 'pack-images', against: 'docker-archives', reading: size },
    2.5,
    'smaller',
  ),
  uploadTarget,
  memoryOf('cold mirror', 'cold-30', 'keel', 200),
  memoryOf('cold mirror of 20 repositories', 'cold-30-full', 'keel', 200),
  memoryOf('one layer of 1 GiB', 'large-layer', 'keel', 200),
  memoryOf('pack', 'pack-mixed', 'keel', 200),
  memoryOf('3 versions of each of 20 images', 'pack-images', 'keel', 200),
  memoryOf('upload', 'upload', 'keel', 200),
  memoryOf('10,000 tags without state', 'unchanged-10000-blind', 'keel', 256),
  atMost({
    work: 'no change, 1,000 → 10,000 tags',
    against: 'ten times the time',
    limit: 1,
    show: asPart,
    value: (results) => growth(results, 1000, 10_000),
  }),
  atMost({
    work: 'no change, 1,000 → 100,000 tags',
    against: 'a hundred times the time',
    limit: 1,
    show: asPart,
    value: (results) => growth(results, 1000, 100_000),
  }),
  atMost({
    work: 'state of 100,000 tags',
    limit: 15e6,
    show: inMegabytes,
    value: (results) => most(caseOf(results, 'unchanged-100000'), 'keel --verify none', size),
  }),
];
