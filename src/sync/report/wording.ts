import { newestFirst } from '../../config/tag-age.ts';
import type { UnclearCut } from '../../config/tag-filter.ts';
import { type Duration, formatDuration, milliseconds } from '../../lib/duration.ts';
import { describeFailure } from '../../lib/failure.ts';
import { countOf, formatCount, joinWords } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { formatTime } from '../../lib/text/time.ts';
import { durationOf, type Report, type ReportedImage, type ReportedReason } from './report.ts';

/** The two parts of an image's name in a report. */
interface TaggedName {
  /** The repository with its host. */
  readonly repository: string;
  /** Empty for a whole repository. */
  readonly tag: string;
}

/** Returns the parts of an image's name in a report, `host:port/repository:tag`. A digest stands for a tag if there is none. */
export function splitName(name: string): TaggedName {
  const at = name.indexOf('@');
  if (at >= 0) {
    const { repository, tag } = splitName(name.slice(0, at));
    return { repository, tag: tag === '' ? name.slice(at + 1) : tag };
  }
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
  report: Pick<
    Report,
    'totals' | 'failures' | 'interrupted' | 'unselected' | 'unmatched' | 'shards' | 'started' | 'ended'
  > & {
    readonly options: Pick<Report['options'], 'dryRun'>;
  },
): string {
  const { totals, failures = [], interrupted, shards, unselected = [], unmatched } = report;
  const vanished = unmatched.filter(({ matchedBefore }) => matchedBefore).length;
  const { dryRun } = report.options;
  const { tooYoung = 0 } = totals;
  const shard = shards.length === 1 ? shards[0] : undefined;
  const size = totals.bytes === 0 ? '' : ` (${formatSize(totals.bytes)})`;
  const parts = [
    ...part(totals.copied, `${dryRun ? 'to copy' : 'copied'}${size}`),
    ...part(totals.skipped, 'unchanged'),
    ...part(totals.failed, dryRun ? 'cannot be copied' : 'failed'),
    ...part(vanished, 'vanished'),
    ...(failures.length === 0 ? [] : [countOf(failures.length, 'error')]),
    // The images that an early end left over follow at the end of the sentence.
    ...part(Math.max(0, totals.deferred - tooYoung - (interrupted?.left ?? 0)), 'deferred'),
    ...part(tooYoung, 'too young'),
  ];
  const nothing =
    interrupted !== undefined
      ? `nothing ${dryRun ? 'checked' : 'copied'} yet`
      : shard === undefined
        ? unselected.some(({ emptied }) => emptied === 'since')
          ? 'nothing new since the day in "since"'
          : 'no image matched'
        : `shard ${shard.index}/${shard.count} has no images`;
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
  return `${host} ${REFUSED[conversion]}; their digests at the destination differ from the source's, and signatures no longer match`;
}

type ReportedRelease = Pick<NonNullable<Report['kubernetes']>[number], 'word' | 'versions'> & {
  /** The newest release, if it is too young to be meant. */
  readonly passedOver?: string | undefined;
};

const IMAGES_NAMED = 3;
const byName = new Intl.Collator('en-GB', { numeric: true });

/** Returns the warning about images whose layers are not all at the destination; undefined if there are none. */
export function leftOutWarning(
  images: readonly Pick<ReportedImage, 'destination' | 'layersLeftOut'>[],
): string | undefined {
  const partial = images.filter(({ layersLeftOut = 0 }) => layersLeftOut > 0);
  if (partial.length === 0) return undefined;
  const layers = partial.reduce((sum, { layersLeftOut = 0 }) => sum + layersLeftOut, 0);
  const names = nameSome(partial.map(({ destination }) => destination));
  return (
    `${countOf(partial.length, 'image is', 'images are')} mirrored in part, without ${countOf(layers, 'layer')} of a type that is ` +
    `not distributed (their addresses are in the manifests): ${names}`
  );
}

/** Returns the warning about tags below which something could not be checked; undefined if there are none. */
export function unaskedWarning(unasked: ReadonlyMap<string, unknown>): string | undefined {
  const [reason] = unasked.values();
  if (unasked.size === 0) return undefined;
  const names = [...unasked.keys()];
  const named = nameSome(names);
  return (
    `the manifests and layers of ${countOf(names.length, 'tag')} could not be checked, so they may be incomplete at the destination ` +
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
const DIGEST = /@(sha(?:256|512):[0-9a-f]{12})[0-9a-f]+/g;

/**
 * Returns the names of an image without the parts that are in the route: `coredns/coredns:v1.14.2 → coredns:v1.14.2`.
 */
export function shortNames(
  { source, destination }: Pick<ReportedImage, 'source' | 'destination'>,
  route: Route,
): string {
  const from = withoutPrefix(source, `${route.source}/`);
  const to = withoutPrefix(destination, `${route.destination}/`);
  const names = from === to ? from : `${from} → ${to}`;
  return names.replaceAll(SIGNATURE_NAME, ':sha256-$1…').replaceAll(DIGEST, '@$1…');
}

function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

/** Returns the line of an image that did not arrive: what happened, and what to change. */
export function failedLine(
  image: Pick<ReportedImage, 'source' | 'destination' | 'outcome' | 'reason' | 'claimants'>,
): string {
  const { source, destination, outcome, reason, claimants = [] } = image;
  if (outcome !== 'collision') return `${source}: ${fateOf(image)}${remedy(reason)}`;
  const claimed = claimants.length < 2 ? source : joinWords(claimants);
  return `${destination}: claimed by ${claimed}; left unchanged${remedy(reason)}`;
}

/** Returns what became of an image, and why. */
function fateOf({ outcome, reason }: Pick<ReportedImage, 'outcome' | 'reason'>): string {
  switch (outcome) {
    case 'deferred':
      return `deferred, ${reason?.message ?? 'the run ended first'}`;
    case 'withdrawn':
      return `given up, ${reason?.message ?? 'it took longer than --push-timeout'}`;
    default:
      return reason?.message ?? 'failed';
  }
}

const TAGS_NAMED = 3;

type FailedImage = Parameters<typeof failedLine>[0];

/** Returns one line for several images that did not arrive for the same reason, with their number. */
export function failedTogetherLine(first: FailedImage, others: readonly FailedImage[]): string {
  if (others.length === 0) return failedLine(first);
  const { outcome, claimants = [] } = first;
  const isCollision = outcome === 'collision';
  const all = [first, ...others];
  const names = all.map((image) => splitName(isCollision ? image.destination : image.source));
  const what = isCollision
    ? `claimed by ${joinWords(claimants.map((claimant) => splitName(claimant).repository))}; left unchanged`
    : fateOf(first);
  const told = `${what}${remedy(first.reason)}`;
  const repositories = new Set(names.map(({ repository }) => repository));
  if (repositories.size > 1) {
    const { host, message } = first.reason ?? {};
    const whose = host === undefined || message?.startsWith(`${host}: `) === true ? '' : `${host}: `;
    return `${countOf(all.length, 'image')}: ${whose}${told}: ${nameSome(all.map(({ source }) => source).toSorted(byName.compare))}`;
  }
  const tags = newestFirst(names).map(({ tag }) => tag);
  const range = tags.length > TAGS_NAMED ? `${tags.at(-1)} … ${tags[0]}` : joinWords(tags.toReversed());
  return `${names[0]?.repository} (${countOf(tags.length, 'tag')}, ${range}): ${told}`;
}

/** Returns names in words: the first ones, and how many more there are. */
function nameSome(names: readonly string[]): string {
  const more = names.length - IMAGES_NAMED;
  return joinWords(more > 0 ? [...names.slice(0, IMAGES_NAMED), `${formatCount(more)} more`] : names);
}

const VERSIONS_NAMED = 6;

/** Returns versions in words, the oldest first: of many, the oldest and the newest. */
export function versionsWords(versions: readonly string[]): string {
  if (versions.length <= VERSIONS_NAMED) return versions.toReversed().join(', ');
  return `${versions.at(-1)} … ${versions[0]} (${versions.length})`;
}

/** Returns the origins of the tags of versions, each once, that of the newest version first. */
export function originWords(versions: ReportedRelease['versions']): string {
  const origins = [...new Set(versions.map(({ origin }) => origin))];
  const more = origins.length - IMAGES_NAMED;
  return [...origins.slice(0, IMAGES_NAMED), ...(more > 0 ? [`${more} more`] : [])].join('; ');
}

/**
 * Returns the line of what a word for releases of Kubernetes means: `Kubernetes 1.38: 1.38.0, 1.38.1 (tags from
 * kubernetes v1.38.1; kubernetes v1.38.0)`. Undefined for a version of the built-in table, which needs no explanation,
 * and for versions that the source lacks, which are reported elsewhere.
 */
export function releaseLine({ word, versions, passedOver }: ReportedRelease): string | undefined {
  const [only] = versions;
  if (only === undefined || (only.version === word && only.origin === 'table')) return undefined;
  const named = only.version === word ? '' : `: ${versionsWords(versions.map(({ version }) => version))}`;
  const young = passedOver === undefined ? '' : `; ${passedOver} is younger than "minimumAge"`;
  return `Kubernetes ${word}${named} (tags from ${originWords(versions)})${young}`;
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
    return `"${pattern}" contains a part that "exclude" names, so all of its images are excluded`;
  if (excluded !== undefined) {
    const verb = excluded === 1 ? 'excludes it' : 'excludes all of them';
    return `"${pattern}" finds ${countOf(excluded, 'name')}, and "exclude" ${verb}`;
  }
  return matchedBefore
    ? `"${pattern}" matched in the last run and matches nothing now; its images are still at the destination`
    : `"${pattern}" matches nothing at the source; correct or remove it`;
}

/** Returns the error of a run that found nothing to mirror. */
export function nothingMatched(source: string): string {
  return `no image at ${source} matches the image set, so there is nothing to mirror`;
}

/** Returns the warning about a host of a run that went wrong and that does not answer as registries do. */
export function strangerWarning(host: string, oddity: string): string {
  return `${host} answers, but not like a registry: ${oddity}; check its name and its port`;
}

/** Returns the warning about further names that match nothing. */
export function moreUnmatchedWarning(count: number): string {
  return `${formatCount(count)} more ${count === 1 ? 'name matches' : 'names match'} nothing at the source; the report lists all`;
}

/** Returns the warning about an image whose tags are all filtered out. */
export function filteredWarning(name: string, tags: number): string {
  return `"${name}" lists ${countOf(tags, 'tag')}, but "tags" and "exclude" drop all of them`;
}

/** Returns the warning about a prefix that finds images, all tags of which are filtered out. */
export function filteredPrefixWarning(prefix: string, images: number, tags: number): string {
  return `"${prefix}" finds ${countOf(images, 'image')} with ${countOf(tags, 'tag')}, but "tags" and "exclude" drop all of them`;
}

/** Returns the line about images of which nothing was uploaded since the day in `since` of the image set. */
export function nothingNewLine(images: readonly string[]): string | undefined {
  if (images.length === 0) return undefined;
  return `older than the day in "since": ${nameSome(images.toSorted())}`;
}

/** Returns the warning about an image whose list of tags had no end. */
export function endlessListWarning(name: string, tags: number): string {
  return (
    `"${name}": its list of tags is endless, because its pages repeat; ` +
    `synctl uses the ${countOf(tags, 'tag')} that it listed, and others may be missing`
  );
}

/** Returns the warning about an image whose list of tags was probably cut. */
export function cutListWarning(name: string, tags: number): string {
  return `"${name}": its list of tags ends at ${formatCount(tags)}, the limit of the source, and the registry behind it did not list the rest`;
}

/** Returns the warning about an image of which the newest tags are wanted, but it is unknown which these are. */
export function unclearCutWarning(name: string, { taken, left }: UnclearCut): string {
  return (
    `"${name}": "latest" takes ${taken} and leaves ${left} out, but nothing shows which of them is newer; ` +
    'narrow its tags with "regex", or name them'
  );
}

/** Returns the warning about a listing that lost a fifth of its entries or more, or undefined. */
export function shrunkWarning(listing: string, before: number, now: number): string | undefined {
  if (before < 5 || now > before * 0.8) return undefined;
  return (
    `${listing}: the listing shrank from ${formatCount(before)} to ${countOf(now, 'entry', 'entries')}; ` +
    'nothing is removed from the destination, and the answer of the source may be incomplete'
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

/**
 * Returns the line about tags that are younger than `minimumAge`: how many, which, and when the first is old enough; undefined
 * if there are none.
 */
export function youngLine(
  images: readonly Pick<ReportedImage, 'source' | 'oldEnough'>[],
): string | undefined {
  const young = images
    .flatMap(({ source, oldEnough }) => (oldEnough === undefined ? [] : [{ source, oldEnough }]))
    .toSorted((one, other) => (one.oldEnough < other.oldEnough ? -1 : 1));
  const [first] = young;
  if (first === undefined) return undefined;
  const more = young.length - IMAGES_NAMED;
  const names = young.slice(0, IMAGES_NAMED).map(({ source }) => source);
  const told = joinWords(more > 0 ? [...names, `${formatCount(more)} more`] : names);
  const when = `${formatTime(new Date(first.oldEnough))} UTC`;
  return (
    `${countOf(young.length, 'tag is', 'tags are')} younger than "minimumAge" and not mirrored yet: ${told}; ` +
    `${young.length === 1 ? 'it is' : 'the first is'} old enough from ${when} on`
  );
}
