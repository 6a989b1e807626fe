import { formatSize } from '../src/lib/text/size.ts';
import { noiseOf } from './noise.ts';
import type { MeasuredCase, Results } from './results.ts';
import { countRequests, median, type Sample } from './sample.ts';
import { TARGETS } from './targets.ts';

/** Rows of cells, the first of them the heading. */
export type Table = readonly (readonly string[])[];

const MEGABYTE = 1e6;

interface Column {
  readonly heading: string;
  /** Undefined where the sample does not tell. */
  readonly cell: (samples: readonly Sample[], cores: number) => string | undefined;
}

function middleOf(
  samples: readonly Sample[],
  read: (sample: Sample) => number | undefined,
): number | undefined {
  const values = samples.map(read).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : median(values);
}

function number(
  heading: string,
  read: (sample: Sample, cores: number) => number | undefined,
  show: (value: number) => string,
): Column {
  return {
    heading,
    cell: (samples, cores) => {
      const value = middleOf(samples, (sample) => read(sample, cores));
      return value === undefined ? undefined : show(value);
    },
  };
}

const fixed =
  (digits: number) =>
  (value: number): string =>
    value.toFixed(digits);

function methods(heading: string, end: 'source' | 'destination'): Column {
  return {
    heading,
    cell: (samples) => {
      const [counts] = samples.flatMap(({ requests }) => (requests === undefined ? [] : [requests[end]]));
      if (counts === undefined) return undefined;
      const parts = Object.entries(counts).map(([method, count]) => `${method} ${count}`);
      return `${countRequests(counts)}${parts.length > 1 ? ` (${parts.sort().join(', ')})` : ''}`;
    },
  };
}

const COLUMNS: readonly Column[] = [
  number('seconds', ({ seconds }) => seconds, fixed(2)),
  number('CPU s', ({ cpuSeconds }) => cpuSeconds, fixed(2)),
  {
    heading: 'CPU s of servers',
    cell: (samples) => {
      const names = Object.keys(samples[0]?.servers ?? {});
      if (names.length === 0) return undefined;
      const seconds = names.map((name) =>
        (middleOf(samples, ({ servers }) => servers[name]) ?? 0).toFixed(1),
      );
      return names.map((name, index) => `${name} ${seconds[index]}`).join(', ');
    },
  },
  {
    heading: 'peak MiB',
    cell: (samples) => Math.max(...samples.map(({ memory }) => memory)).toFixed(0),
  },
  methods('requests to source', 'source'),
  methods('requests to destination', 'destination'),
  number('connections', ({ connections }) => connections, fixed(0)),
  number(
    'MB received',
    ({ bytesReceived }) => bytesReceived,
    (bytes) => (bytes / MEGABYTE).toFixed(1),
  ),
  number(
    'MB sent',
    ({ bytesSent }) => bytesSent,
    (bytes) => (bytes / MEGABYTE).toFixed(1),
  ),
  number('size', ({ size }) => size, formatSize),
  number('used by others', noiseOf, (part) => `${(part * 100).toFixed(0)} %`),
];

/** Returns a case as a table: a row a contender, its medians, and how many times as long as this project it took. */
export function caseTable(measured: MeasuredCase, cores: number): Table {
  const rows = Object.entries(measured.samples);
  const first = rows[0]?.[1] ?? [];
  const base = middleOf(first, ({ seconds }) => seconds) ?? Number.NaN;
  const told = COLUMNS.filter(({ cell }) => rows.some(([, samples]) => cell(samples, cores) !== undefined));
  const [seconds, ...others] = told;
  if (seconds === undefined) return [];
  const lines = rows.map(([name, samples]) => {
    const times = (middleOf(samples, (sample) => sample.seconds) ?? Number.NaN) / base;
    return [
      name,
      seconds.cell(samples, cores) ?? '',
      `${times.toFixed(times < 10 ? 2 : 1)}×`,
      ...others.map(({ cell }) => cell(samples, cores) ?? ''),
    ];
  });
  return [['', seconds.heading, 'time', ...others.map(({ heading }) => heading)], ...lines];
}

/** Returns what was wanted and what was reached; rows that were not measured are left out. */
export function targetTable(results: Results): Table {
  const rows = TARGETS.flatMap(({ work, against, wanted, value, show, isReached }) => {
    const found = value(results);
    if (found === undefined) return [];
    return [[work, against, wanted, show(found), isReached(found) ? 'yes' : '**no**']];
  });
  return [['work', 'against', 'wanted', 'measured', 'reached'], ...rows];
}

/** Returns a table in Markdown. */
export function asMarkdown([heading = [], ...rows]: Table): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heading), `|${'---|'.repeat(heading.length)}`, ...rows.map(line)].join('\n');
}
