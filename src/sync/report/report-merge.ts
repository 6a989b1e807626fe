import { rcompare } from 'semver';
import { Failure } from '../../lib/failure.ts';
import { countImages, type Report } from './report.ts';

/** A report and the file it was read from. */
interface NamedReport {
  readonly file: string;
  readonly report: Report;
}

/**
 * Returns one report for the shards of a run: numbers are added and lists joined. A missing shard becomes a warning.
 * Throws `REPORTS_MISSING`, and `REPORTS_DISAGREE` for reports that do not belong together.
 */
export function mergeReports(reports: readonly NamedReport[]): Report {
  // The report of a run that could not start may lack its settings.
  const began = reports.filter(({ report }) => report.failures === undefined);
  const [first, ...others] = began.length === 0 ? reports.slice(0, 1) : began;
  if (first === undefined) {
    throw new Failure({
      code: 'REPORTS_MISSING',
      about: 'synctl merge',
      message: 'there is no report to join',
      hint: 'name the files that --report wrote, one for each shard',
    });
  }
  requireDistinctFiles(reports);
  for (const other of others) requireSameRun(first, other);
  requireDistinctShards(reports);
  const all = reports.map(({ report }) => report);
  const images = all.flatMap((report) => report.images);
  const shards = all.flatMap((report) => report.shards).toSorted((one, other) => one.index - other.index);
  const stops = all.flatMap((report) => (report.interrupted === undefined ? [] : [report.interrupted]));
  const [stop] = stops;
  const failures = all.flatMap((report) => report.failures ?? []);
  return {
    ...first.report,
    started: outermost(
      all.map(({ started }) => started),
      1,
    ),
    ended: outermost(
      all.map(({ ended }) => ended),
      -1,
    ),
    shards,
    stateRestored: all.every(({ stateRestored }) => stateRestored),
    failures: failures.length === 0 ? undefined : failures,
    interrupted:
      stop === undefined
        ? undefined
        : { message: stop.message, left: stops.reduce((sum, { left }) => sum + left, 0) },
    totals: countImages(images),
    kubernetes: mergeReleases(all),
    unmatched: unmatchedEverywhere(began.map(({ report }) => report)),
    unselected: all.flatMap(({ unselected = [] }) => unselected),
    warnings: [...distinct(all.flatMap(({ warnings }) => warnings)), ...missingShards(shards)],
    requests: sumRequests(all),
    images,
  };
}

function requireSameRun(first: NamedReport, other: NamedReport): void {
  const facts = ({ report }: NamedReport) => ({
    source: report.source,
    destination: report.destination,
    namespace: report.namespace ?? 'none',
    '--naming': report.options.naming,
    '--platform': report.options.platforms.join(',') || 'all',
    '--signatures': report.options.signatures,
    '--verify-signatures': report.options.verifySignatures ?? 'off',
    '--moved-tags': report.options.movedTags ?? 'copy',
    '--dry-run': String(report.options.dryRun),
    'number of shards': String(report.shards[0]?.count ?? 1),
  });
  const expected = new Map(Object.entries(facts(first)));
  for (const [fact, value] of Object.entries(facts(other))) {
    const before = expected.get(fact);
    if (before === value) continue;
    throw disagreement(
      other.file,
      `its ${fact} is ${value}, but that of ${first.file} is ${before}`,
      'join only the reports of one run',
    );
  }
}

function requireDistinctFiles(reports: readonly NamedReport[]): void {
  const seen = new Set<string>();
  for (const { file } of reports) {
    if (seen.has(file)) throw disagreement(file, 'it is named twice', 'name each report once');
    seen.add(file);
  }
}

function requireDistinctShards(reports: readonly NamedReport[]): void {
  const seen = new Map<string, string>();
  for (const { file, report } of reports) {
    const names = report.shards.map(({ index, count }) => `shard ${index}/${count}`);
    for (const name of names.length === 0 ? ['the run without shards'] : names) {
      const other = seen.get(name);
      if (other !== undefined) {
        throw disagreement(file, `it covers ${name}, and so does ${other}`, 'name each report once');
      }
      seen.set(name, file);
    }
  }
}

function disagreement(about: string, message: string, hint: string): Failure<'REPORTS_DISAGREE'> {
  return new Failure({ code: 'REPORTS_DISAGREE', fault: 'usage', about, message, hint });
}

/** Returns the earliest time, or the latest if `sign` is -1. */
function outermost(times: readonly string[], sign: 1 | -1): string {
  return times.reduce((one, other) => ((Date.parse(one) - Date.parse(other)) * sign <= 0 ? one : other));
}

/** A pattern is unmatched only if it matched in no shard: a shard may see only a part of the source. */
function unmatchedEverywhere(reports: readonly Report[]): Report['unmatched'] {
  const [first, ...others] = reports;
  return (first?.unmatched ?? []).filter(({ pattern }) =>
    others.every((report) => report.unmatched.some((each) => each.pattern === pattern)),
  );
}

type ReportedRelease = NonNullable<Report['kubernetes']>[number];

/** The source may have changed between shards: a word means all that it meant in any of them. */
function mergeReleases(reports: readonly Report[]): ReportedRelease[] | undefined {
  if (reports.every(({ kubernetes }) => kubernetes === undefined)) return undefined;
  const words = Map.groupBy(
    reports.flatMap(({ kubernetes = [] }) => kubernetes),
    ({ word, place }) => JSON.stringify([word, place]),
  );
  return [...words.values()].flatMap((ones) => {
    const [first] = ones;
    if (first === undefined) return [];
    const versions = new Map(ones.flatMap((one) => one.versions).map((each) => [each.version, each]));
    return [
      {
        ...first,
        versions: [...versions.values()].toSorted((one, other) => rcompare(one.version, other.version)),
        unknown: ones.every(({ unknown }) => unknown === true) ? true : undefined,
      },
    ];
  });
}

function distinct(warnings: Report['warnings']): Report['warnings'] {
  return [...new Map(warnings.map((warning) => [JSON.stringify(warning), warning])).values()];
}

function missingShards(shards: Report['shards']): Report['warnings'] {
  const count = shards[0]?.count ?? 0;
  const indices = Array.from({ length: count }, (_, position) => position + 1);
  return indices
    .filter((index) => !shards.some((shard) => shard.index === index))
    .map((index) => ({ message: `the report of shard ${index}/${count} is missing` }));
}

function sumRequests(reports: readonly Report[]): Report['requests'] {
  const sums = new Map<string, Report['requests'][number]>();
  for (const each of reports.flatMap(({ requests }) => requests)) {
    const sum = sums.get(each.host) ?? { host: each.host, requests: 0, retried: 0, rateLimited: 0 };
    sums.set(each.host, {
      host: each.host,
      requests: sum.requests + each.requests,
      retried: sum.retried + each.retried,
      rateLimited: sum.rateLimited + each.rateLimited,
    });
  }
  return [...sums.values()];
}
