import { newestFirst } from '../../config/tag-age.ts';
import type { UnclearCut } from '../../config/tag-filter.ts';
import { type Duration, formatDuration, milliseconds } from '../../lib/duration.ts';
import { describeFailure } from '../../lib/failure.ts';
import { countOf, formatCount, joinWords } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { durationOf, type Report, type ReportedImage, type ReportedReason } from './report.ts';

/** The two parts of an image's name in a report. */
interface TaggedName {
  /** The repository with its host. */
  readonly repository: string;
  /** Empty for a whole repository. */
  readonly tag: string;
}

/** Returns the parts of an image's name in a report, `host:port/repository:tag`. */
export function splitName(name: string): TaggedName {
  const colon = name.lastIndexOf(':');
  // The failure of a whole repository has no tag. A colon before the last slash starts a port.
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: '' };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/**
 * Returns a run in one sentence: `12 copied (340 MiB), 1,204 unchanged, 1 failed in 42 s`. Zeroes are left out. For a
 * run that ended early, it includes the reason and how many images are left.
 */
export function headlineOf(
  report: Pick<Report, 'totals' | 'interrupted' | 'unselected' | 'shards' | 'started' | 'ended'> & {
    readonly options: Pick<Report['options'], 'dryRun'>;
  },
): string {
  const { totals, interrupted, shards, unselected = [] } = report;
  const { dryRun } = report.options;
  const shard = shards.length === 1 ? shards[0] : undefined;
  const size = totals.bytes === 0 ? '' : ` (${formatSize(totals.bytes)})`;
  const parts = [
    ...part(totals.copied, `${dryRun ? 'to copy' : 'copied'}${size}`),
    ...part(totals.skipped, 'unchanged'),
    ...part(totals.failed, dryRun ? 'cannot be copied' : 'failed'),
    // The images that an early end left over follow at the end of the sentence.
    ...part(Math.max(0, totals.deferred - (interrupted?.left ?? 0)), 'deferred'),
  ];
  const nothing =
    interrupted !== undefined
      ? `nothing ${dryRun ? 'looked at' : 'copied'} yet`
      : shard === undefined
        ? unselected.some(({ emptied }) => emptied === 'since')
          ? 'nothing new since the day in "since"'
          : 'no image matched'
        : `nothing falls to shard ${shard.index}/${shard.count}`;
  const told = parts.length === 0 ? nothing : parts.join(', ');
  const sentence = `${dryRun ? 'dry run: ' : ''}${told} in ${formatSpent(durationOf(report))}`;
  if (interrupted === undefined) return sentence;
  const left =
    interrupted.left === 0 ? 'nothing was left' : `${formatCount(interrupted.left)} left for the next run`;
  return `stopped early, ${interrupted.message}: ${sentence}; ${left}`;
}

/** Source and destination of a run. Its first line shows them, so names of images leave them out. */
export interface Route {
  /** Host. */
  readonly source: string;
  /** Host, and namespace where there is one. */
  readonly destination: string;
}

/**
 * Returns the line of a copied image: bytes sent, time, and its name, followed by its name at the destination if that
 * differs:
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
  'oci-format': 'in the OCI format',
};

const REFUSED: Readonly<Record<Conversion, string>> = {
  'without-attestations': 'refuses attestations, so images are pushed without them',
  'docker-format': "refuses OCI images, so they are pushed in Docker's format and without attestations",
  'oci-format': "refuses Docker's images, so they are pushed in the OCI format, with the same layers",
};

/** Returns the warning that a destination requires conversions, and their consequences. It is shown once per run. */
export function conversionWarning(host: string, conversion: Conversion): string {
  return `${host} ${REFUSED[conversion]}; their digests there differ from the source's, and signatures do not fit them any more`;
}

const IMAGES_NAMED = 3;

/** Returns the warning about images whose layers are not all at the destination; undefined if there are none. */
export function leftOutWarning(
  images: readonly Pick<ReportedImage, 'destination' | 'layersLeftOut'>[],
): string | undefined {
  const partial = images.filter(({ layersLeftOut = 0 }) => layersLeftOut > 0);
  if (partial.length === 0) return undefined;
  const layers = partial.reduce((sum, { layersLeftOut = 0 }) => sum + layersLeftOut, 0);
  const named = partial.slice(0, IMAGES_NAMED).map(({ destination }) => destination);
  const more = partial.length - named.length;
  const names = joinWords(more === 0 ? named : [...named, `${formatCount(more)} more`]);
  return (
    `${countOf(partial.length, 'image is', 'images are')} mirrored in part: ${countOf(layers, 'layer')} of a type that is ` +
    `not distributed; their addresses are in the manifests: ${names}`
  );
}

/** Returns the warning about tags below which something could not be asked for; undefined if there are none. */
export function unaskedWarning(unasked: ReadonlyMap<string, unknown>): string | undefined {
  const [reason] = unasked.values();
  if (unasked.size === 0) return undefined;
  const names = [...unasked.keys()];
  const more = names.length - IMAGES_NAMED;
  const named = joinWords(more > 0 ? [...names.slice(0, IMAGES_NAMED), `${formatCount(more)} more`] : names);
  return (
    `what is below ${countOf(names.length, 'tag')} could not be asked for, so whether all of it is there is not known ` +
    `(${describeFailure(reason)}): ${named}`
  );
}

/**
 * Returns the lines of the images that a dry run would copy, ordered by name, each with its reason. For a new
 * repository, only the first line has the reason.
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

/** Returns the line of an image that did not arrive: what happened, and what to change. */
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

/** Returns one line for several tags of a repository that did not arrive for the same reason. */
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

/**
 * Returns the warning about a name or prefix of the image set that matches nothing, or of which `exclude` leaves
 * nothing.
 */
export function unmatchedWarning({
  pattern,
  matchedBefore,
  excluded,
}: Pick<Report['unmatched'][number], 'pattern' | 'matchedBefore' | 'excluded'>): string {
  if (excluded === 0)
    return `"${pattern}" holds a part that "exclude" names, which lets none of its images pass`;
  if (excluded !== undefined) {
    const verb = excluded === 1 ? 'does not let it pass' : 'lets none of them pass';
    return `"${pattern}" finds ${countOf(excluded, 'name')}, and "exclude" ${verb}`;
  }
  return matchedBefore
    ? `"${pattern}" matched in the last run and matches nothing now; what it mirrored is still at the destination`
    : `"${pattern}" matches nothing at the source; correct or remove it`;
}

/** Returns the error of a run that found nothing to mirror. */
export function nothingMatched(source: string): string {
  return `no image at ${source} matches the image set, so there is nothing to mirror`;
}

/** Returns the warning about a host of a run that went wrong and that does not answer as registries do. */
export function strangerWarning(host: string, oddity: string): string {
  return `${host} answers, but not as a registry does: ${oddity}; check its name and its port`;
}

/** Returns the warning about further names that match nothing. */
export function moreUnmatchedWarning(count: number): string {
  return `${formatCount(count)} more ${count === 1 ? 'name matches' : 'names match'} nothing at the source; the report lists all`;
}

/** Returns the warning about an image whose tags are all filtered out. */
export function filteredWarning(name: string, tags: number): string {
  return `"${name}" lists ${countOf(tags, 'tag')}, and "tags" and "exclude" let none pass`;
}

/** Returns the warning about a prefix that finds images, all tags of which are filtered out. */
export function filteredPrefixWarning(prefix: string, images: number, tags: number): string {
  return `"${prefix}" finds ${countOf(images, 'image')} with ${countOf(tags, 'tag')}, and "tags" and "exclude" let none pass`;
}

/** Returns the line about images of which nothing was uploaded since the day that the image set asks for. */
export function nothingNewLine(images: readonly string[]): string | undefined {
  if (images.length === 0) return undefined;
  const named = images.toSorted().slice(0, IMAGES_NAMED);
  const more = images.length - named.length;
  const names = joinWords(more === 0 ? named : [...named, `${formatCount(more)} more`]);
  return `older than the day in "since": ${names}`;
}

/** Returns the warning about an image whose list of tags had no end. */
export function endlessListWarning(name: string, tags: number): string {
  return (
    `"${name}": its list of tags has no end, its pages lead back to what they listed before; ` +
    `of the ${countOf(tags, 'tag')} that it listed all are seen, others may be missing`
  );
}

/** Returns the warning about an image whose list of tags was probably cut. */
export function cutListWarning(name: string, tags: number): string {
  return `"${name}": its list of tags ends at ${formatCount(tags)}, where the source cuts lists, and the registry behind it did not tell the rest`;
}

/** Returns the warning about an image of which the newest tags are wanted and nothing tells which these are. */
export function unclearCutWarning(name: string, { taken, left }: UnclearCut): string {
  return (
    `"${name}": "latest" takes ${taken} and leaves ${left} out, and nothing tells which of them is newer; ` +
    'narrow its tags with "regex", or name them'
  );
}

/** Returns the warning about a listing that lost a fifth of its entries or more, or undefined. */
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

/** Returns the duration of a run. Tenths of a second are shown only below ten seconds. */
function formatSpent(duration: Duration): string {
  const rounded = duration < 10_000 ? duration : Math.round(duration / 1000) * 1000;
  return formatDuration(milliseconds(rounded)).replace('.0 s', ' s');
}

function remedy(reason: ReportedReason | undefined): string {
  return reason?.hint === undefined ? '' : ` (${reason.hint})`;
}
