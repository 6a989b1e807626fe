import { newestFirst } from '../../config/tag-version.ts';
import { type Duration, formatDuration, milliseconds } from '../../lib/duration.ts';
import { countOf, formatCount, joinWords } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { durationOf, type Report, type ReportedImage, type ReportedReason } from './report.ts';

/** The name of an image in a report, in two. */
interface TaggedName {
  /** With its host. */
  readonly repository: string;
  /** Empty where a whole repository is meant. */
  readonly tag: string;
}

/** Splits the name of an image as reports have it, `host:port/repository:tag`. */
export function splitName(name: string): TaggedName {
  const colon = name.lastIndexOf(':');
  // A failure of a whole repository has no tag, and a port is none.
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: '' };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/**
 * Returns the one sentence that tells a run: `12 copied (340 MiB), 1,204 unchanged, 1 failed in 42 s`. What is zero is
 * left out; a run that ended early says why and how much is left.
 */
export function headlineOf(
  report: Pick<Report, 'totals' | 'interrupted' | 'shards' | 'started' | 'ended'> & {
    readonly options: Pick<Report['options'], 'dryRun'>;
  },
): string {
  const { totals, interrupted, shards } = report;
  const { dryRun } = report.options;
  const shard = shards.length === 1 ? shards[0] : undefined;
  const size = totals.bytes === 0 ? '' : ` (${formatSize(totals.bytes)})`;
  const parts = [
    ...part(totals.copied, `${dryRun ? 'to copy' : 'copied'}${size}`),
    ...part(totals.skipped, 'unchanged'),
    ...part(totals.failed, dryRun ? 'cannot be copied' : 'failed'),
    // What an early end left over is told by itself.
    ...part(Math.max(0, totals.deferred - (interrupted?.left ?? 0)), 'deferred'),
  ];
  const nothing =
    interrupted !== undefined
      ? `nothing ${dryRun ? 'looked at' : 'copied'} yet`
      : shard === undefined
        ? 'no image matched'
        : `nothing falls to shard ${shard.index}/${shard.count}`;
  const told = parts.length === 0 ? nothing : parts.join(', ');
  const sentence = `${dryRun ? 'dry run: ' : ''}${told} in ${formatSpent(durationOf(report))}`;
  if (interrupted === undefined) return sentence;
  const left =
    interrupted.left === 0 ? 'nothing was left' : `${formatCount(interrupted.left)} left for the next run`;
  return `stopped early, ${interrupted.message}: ${sentence}; ${left}`;
}

/** Where a run mirrors from and to, as its first line tells: names below need not repeat it. */
export interface Route {
  /** Host. */
  readonly source: string;
  /** Host, and namespace where there is one. */
  readonly destination: string;
}

/**
 * Returns the line of an image that moved: bytes sent, time, and its name, with the new one where it has another:
 * `  196 KiB     1.5 s  coredns/coredns:v1.14.2 → coredns:v1.14.2`.
 */
export function movedLine(
  image: Pick<ReportedImage, 'source' | 'destination' | 'bytes' | 'milliseconds' | 'conversion'>,
  route: Route,
): string {
  const spent = formatDuration(milliseconds(image.milliseconds));
  const converted = image.conversion === undefined ? '' : `  (${CONVERTED[image.conversion]})`;
  return `${formatSize(image.bytes).padStart(9)} ${spent.padStart(9)}  ${shortNames(image, route)}${converted}`;
}

type Conversion = NonNullable<ReportedImage['conversion']>;

const CONVERTED: Readonly<Record<Conversion, string>> = {
  'without-attestations': 'without attestations',
  'docker-format': "in Docker's format",
};

/** Returns the warning, told once a run, that a destination makes conversions necessary, and what follows from them. */
export function conversionWarning(host: string, conversion: Conversion): string {
  const what =
    conversion === 'without-attestations'
      ? `${host} refuses attestations, so images are pushed without them`
      : `${host} refuses OCI images, so they are pushed in Docker's format and without attestations`;
  return `${what}; their digests there differ from the source's, and signatures do not fit them any more`;
}

/**
 * Returns the lines of the images that a dry run would copy, by name, as all are known by then, and why each would be; of
 * a new repository it is said once.
 */
export function plannedLines(
  images: readonly Pick<ReportedImage, 'source' | 'destination' | 'outcome' | 'reason'>[],
  route: Route,
): string[] {
  const told = new Set<string>();
  const byName = new Intl.Collator('en-GB', { numeric: true });
  return images
    .filter(({ outcome }) => outcome === 'copied')
    .toSorted((one, other) => byName.compare(one.destination, other.destination))
    .map((image) => {
      const { destination, reason } = image;
      const repository = destination.replace(/:[^:/]*$/, '');
      const isTold = reason?.code === 'REPOSITORY_NEW' && told.has(repository);
      told.add(repository);
      return `  ${shortNames(image, route)}${reason === undefined || isTold ? '' : `  (${reason.message})`}`;
    });
}

const SIGNATURE_NAME = /:sha256-([0-9a-f]{12})[0-9a-f]{52}/g;

function shortNames(
  { source, destination }: Pick<ReportedImage, 'source' | 'destination'>,
  route: Route,
): string {
  const from = withoutPrefix(source, `${route.source}/`);
  const to = withoutPrefix(destination, `${route.destination}/`);
  const names = from === to ? from : `${from} → ${to}`;
  return names.replaceAll(SIGNATURE_NAME, ':sha256-$1…');
}

function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

/** Returns the line of an image that did not arrive: what happened to it, and what to change. */
export function failedLine(
  image: Pick<ReportedImage, 'source' | 'destination' | 'outcome' | 'reason' | 'claimants'>,
): string {
  const { source, destination, outcome, reason, claimants = [] } = image;
  switch (outcome) {
    case 'collision':
      return `${destination}: wanted by ${claimants.length < 2 ? source : joinWords(claimants)}; left as it is${remedy(reason)}`;
    case 'deferred':
      return `${source}: deferred, ${reason?.message ?? 'the run ended before it'}${remedy(reason)}`;
    case 'withdrawn':
      return `${source}: given up, ${reason?.message ?? 'it took longer than --push-timeout'}${remedy(reason)}`;
    default:
      return `${source}: ${reason?.message ?? 'failed'}${remedy(reason)}`;
  }
}

const TAGS_NAMED = 3;

/** Returns the line of several tags of a repository that did not arrive for one reason; of a single one, the line of that. */
export function failedTogetherLine(
  first: Parameters<typeof failedLine>[0],
  others: readonly Pick<ReportedImage, 'source' | 'destination'>[],
): string {
  if (others.length === 0) return failedLine(first);
  const { outcome, reason, claimants = [] } = first;
  const isCollision = outcome === 'collision';
  const names = [first, ...others].map((image) => splitName(isCollision ? image.destination : image.source));
  const tags = newestFirst(names).map(({ tag }) => tag);
  const told = tags.length > TAGS_NAMED ? `${tags.at(-1)} … ${tags[0]}` : joinWords(tags.toReversed());
  const what = isCollision
    ? `wanted by ${joinWords(claimants.map((claimant) => splitName(claimant).repository))}; left as they are`
    : (reason?.message ?? 'failed');
  return `${names[0]?.repository} (${countOf(tags.length, 'tag')}, ${told}): ${what}${remedy(reason)}`;
}

/** Returns the warning about a name or prefix of the image set that matched nothing. */
export function unmatchedWarning(pattern: string, matchedBefore: boolean): string {
  return matchedBefore
    ? `"${pattern}" matched in the last run and matches nothing now; what it mirrored is still at the destination`
    : `"${pattern}" matches nothing at the source; correct or remove it`;
}

/** Returns the warning about the names beyond those that were told one by one. */
export function moreUnmatchedWarning(count: number): string {
  return `${formatCount(count)} more ${count === 1 ? 'name matches' : 'names match'} nothing at the source; the report lists all`;
}

/** Returns the warning about an image that is there, and none of whose tags is wanted. */
export function filteredWarning(name: string, tags: number): string {
  return `"${name}" lists ${countOf(tags, 'tag')}, and "tags" and "exclude" let none pass`;
}

/** Returns the warning about a listing that lost a fifth of its entries or more; undefined where it did not. */
export function shrunkWarning(listing: string, before: number, now: number): string | undefined {
  if (before < 5 || now > before * 0.8) return undefined;
  return (
    `${listing}: the listing shrank from ${formatCount(before)} to ${countOf(now, 'entry', 'entries')}; ` +
    'nothing is removed from the destination, and the source may be answering in part'
  );
}

function part(count: number, words: string): string[] {
  return count === 0 ? [] : [`${formatCount(count)} ${words}`];
}

/** A whole run's time: tenths matter only while it is short. */
function formatSpent(duration: Duration): string {
  const rounded = duration < 10_000 ? duration : Math.round(duration / 1000) * 1000;
  return formatDuration(milliseconds(rounded)).replace('.0 s', ' s');
}

function remedy(reason: ReportedReason | undefined): string {
  return reason?.hint === undefined ? '' : ` (${reason.hint})`;
}
