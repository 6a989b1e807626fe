import { formatDuration } from '../lib/duration.ts';
import { code, escapeMarkdown, tableHead, tableRow } from '../lib/text/markdown.ts';
import { formatCount } from '../lib/text/sentence.ts';
import { formatSize } from '../lib/text/size.ts';
import type { SummaryFacts } from './facts.ts';
import { formatHistory } from './history.ts';
import { formatPage, PAGE_LIMIT, type Section } from './page.ts';
import {
  collisionSection,
  copiedSection,
  countFailures,
  failureSection,
  movedSection,
  releaseSection,
  slowestSection,
  unmatchedSection,
  warningSection,
} from './sections.ts';

const MARKS = { succeeded: '✅', failed: '❌', interrupted: '⏹️' } as const;
/** One run alone needs no chart. */
const RUNS_FOR_CHART = 2;
const IMAGES_FOR_SLOWEST = 3;

/** Returns the summary page of a run, to be read in ten seconds: what changed, what failed, and what to do. */
export function formatSummary(given: SummaryFacts, limit = PAGE_LIMIT): string {
  const facts = withShortNames(given);
  const route = `From ${code(facts.source)} to ${code(facts.destination)}`;
  const signatures = facts.signatures === undefined ? '' : `\n\n${escapeMarkdown(capital(facts.signatures))}`;
  const sections: Section[] = [
    fixed(
      `## ${MARKS[facts.outcome]} ${escapeMarkdown(facts.headline)}\n\n${route}\n\n${totals(facts)}${signatures}`,
    ),
  ];
  if (facts.moved.length > 0) sections.push(movedSection(facts.moved));
  if (facts.failures.length > 0) {
    // Tags that were kept and names that several images want failed too, and have tables of their own.
    const title = countFailures(facts.failures) === facts.failed ? 'Failed' : 'Other failures';
    sections.push(failureSection(title, facts.failures));
  }
  if (facts.collisions.length > 0) sections.push(collisionSection(facts.collisions));
  if (facts.deferred.length > 0) sections.push(failureSection('Left for the next run', facts.deferred));
  if (facts.young.length > 0) sections.push(failureSection('Too young to be mirrored', facts.young));
  if (facts.unmatched.length > 0) sections.push(unmatchedSection(facts.unmatched));
  if (facts.warnings.length > 0) sections.push(warningSection(facts.warnings));
  if (facts.releases.length > 0) sections.push(releaseSection(facts.releases));
  if (facts.copied.length > 0) sections.push(copiedSection(facts.copied, facts.dryRun));
  if (facts.copied.length >= IMAGES_FOR_SLOWEST && !facts.dryRun) sections.push(slowestSection(facts.copied));
  if (facts.runs.length >= RUNS_FOR_CHART)
    sections.push(fixed(`### The last runs\n\n${formatHistory(facts.runs)}`));
  return formatPage(sections, limit);
}

/** The head of the page has source and destination, so other names leave them out. */
function withShortNames(facts: SummaryFacts): SummaryFacts {
  const source = (name: string): string => below(name, facts.source);
  const destination = (name: string): string => below(name, facts.destination);
  return {
    ...facts,
    copied: facts.copied.map((each) => ({ ...each, repository: destination(each.repository) })),
    moved: facts.moved.map((each) => ({ ...each, image: source(each.image) })),
    failures: facts.failures.map((each) => ({ ...each, images: each.images.map(source) })),
    deferred: facts.deferred.map((each) => ({ ...each, images: each.images.map(source) })),
    young: facts.young.map((each) => ({ ...each, images: each.images.map(source) })),
    collisions: facts.collisions.map((each) => ({
      ...each,
      destination: destination(each.destination),
      sources: each.sources.map(source),
    })),
  };
}

function below(name: string, prefix: string): string {
  return name.startsWith(`${prefix}/`) ? name.slice(prefix.length + 1) : name;
}

function totals(facts: SummaryFacts): string {
  const { wanted, copied, skipped, failed, deferred, young, bytes, duration, dryRun } = facts;
  const columns: readonly (readonly [title: string, value: string])[] = [
    ['Wanted', formatCount(wanted)],
    [dryRun ? 'Would be copied' : 'Copied', formatCount(copied.length)],
    ['Unchanged', formatCount(skipped)],
    ['Failed', failed === 0 ? '0' : `**${formatCount(failed)}**`],
    ...(deferred.length === 0 ? [] : ([['Deferred', formatCount(countFailures(deferred))]] as const)),
    ...(young.length === 0 ? [] : ([['Too young', formatCount(countFailures(young))]] as const)),
    ['Sent', formatSize(bytes)],
    ['Time', formatDuration(duration)],
  ];
  return `${tableHead(columns.map(([title]) => `>${title}`))}\n${tableRow(columns.map(([, value]) => value))}`;
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function fixed(text: string): Section {
  return { head: text, rows: [], more: () => '' };
}
