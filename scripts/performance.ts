import { expectedRequests } from '../bench/cost-model.ts';
import { lossTable } from '../bench/losses.ts';
import { describeNoise } from '../bench/noise.ts';
import { middle, type Results } from '../bench/results.ts';
import { countRequests } from '../bench/sample.ts';
import { asMarkdown, caseTable, type Table, targetTable } from '../bench/table.ts';
import { formatSize } from '../src/lib/text/size.ts';
import { replaceSection } from './action-metadata.ts';

/** Fills those parts of a page that come from the results of a run. */
export function fillPerformance(page: string, results: Results): string {
  const sections = {
    conditions: describeConditions(results),
    targets: asMarkdown(targetTable(results)),
    'cost-check': asMarkdown(costTable(results)),
    losses: asMarkdown(lossTable(results)),
    cases: results.cases
      .map((each) => {
        const rounds = Math.max(...Object.values(each.samples).map((samples) => samples.length));
        const table = asMarkdown(caseTable(each, results.machine.cores));
        return `### ${each.id}: ${each.title}\n\n${factLine(each.facts)}Rounds: ${rounds}.\n\n${table}`;
      })
      .join('\n\n'),
  };
  return Object.entries(sections)
    .filter(([name]) => page.includes(`<!-- ${name}:start -->`))
    .reduce((text, [name, section]) => replaceSection(text, name, section), page);
}

function describeConditions(results: Results): string {
  const { machine, versions, cases } = results;
  const days = [...new Set(cases.map(({ measured }) => measured.slice(0, 10)))].toSorted();
  const programs = Object.entries(versions).map(([program, version]) => `${program} ${version}`);
  const hardware = `${machine.cores} × ${machine.processor}, ${formatSize(machine.memory)}, ${machine.system}`;
  return `Measured ${days.join(', ')} on ${hardware}, with ${programs.join(', ')}; all files ${machine.files === 'memory' ? 'in memory (`/dev/shm`)' : 'on disk'}. ${describeNoise(results)}`;
}

/** Counted requests next to those that the cost model predicts. */
function costTable({ cases }: Results): Table {
  const rows = cases.flatMap((measured) =>
    Object.keys(measured.samples).flatMap((contender) => {
      const expected = expectedRequests(measured, contender);
      const source = middle(measured, contender, (sample) => countRequests(sample.requests?.source ?? {}));
      const destination = middle(measured, contender, (sample) =>
        countRequests(sample.requests?.destination ?? {}),
      );
      // Without a proxy in between, requests are not counted.
      if (expected === undefined || source === undefined || source === 0 || destination === undefined)
        return [];
      const counts = [expected.source, source, expected.destination, destination];
      return [[measured.id, contender, ...counts.map(String)]];
    }),
  );
  return [['case', '', 'source: model', 'counted', 'destination: model', 'counted'], ...rows];
}

const FACTS: Readonly<Record<string, (value: number) => string>> = {
  repositories: (value) => `${value} repositories`,
  tags: (value) => `${value} tags`,
  manifests: (value) => `${value} manifests and indexes`,
  blobs: (value) => `${value} blobs`,
  blobBytes: (value) => `${formatSize(value)} of blobs`,
  programBytes: (value) => `${formatSize(value)} of programs`,
  layerBytes: (value) => `${formatSize(value)} of layers`,
  images: (value) => `${value} images`,
  bytes: (value) => formatSize(value),
};

function factLine(facts: Readonly<Record<string, number>>): string {
  const told = Object.entries(FACTS).flatMap(([name, tell]) => {
    const value = facts[name];
    return value === undefined || value === 0 ? [] : [tell(value)];
  });
  return told.length === 0 ? '' : `${told.join(', ')}. `;
}
