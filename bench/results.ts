import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { countRequests, median, type Sample, sampleShape } from './sample.ts';

const measuredShape = z.object({
  id: z.string(),
  title: z.string(),
  /** When, as ISO 8601. */
  measured: z.string(),
  facts: z.record(z.string(), z.number()),
  /** By contender, one a round. */
  samples: z.record(z.string(), z.array(sampleShape)),
});
const resultsShape = z.object({
  machine: z.object({
    processor: z.string(),
    cores: z.number(),
    memory: z.number(),
    system: z.string(),
    /** Where registries and tools kept their files. */
    files: z.enum(['memory', 'disk']),
  }),
  /** Of the programs that took part. */
  versions: z.record(z.string(), z.string()),
  cases: z.array(measuredShape),
});

/** One case with all that was measured of it. */
export type MeasuredCase = z.infer<typeof measuredShape>;
/** What a run found, as its JSON has it. */
export type Results = z.infer<typeof resultsShape>;

/** Reads the results of a run. Throws what is wrong with the file. */
export function readResults(file: string): Results {
  return resultsShape.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/**
 * Adds cases to a file of results: those that were measured again take the place of the former ones. They stand in the
 * order of the ids that are given, others behind them. Programs that took part in the former ones alone stay named.
 */
export function writeResults(file: string, results: Results, order: readonly string[]): void {
  const former = existsSync(file) ? readResults(file) : undefined;
  const cases = new Map([...(former?.cases ?? []), ...results.cases].map((each) => [each.id, each]));
  const ids = new Set([...order, ...cases.keys()]);
  const all: Results = {
    ...results,
    versions: { ...former?.versions, ...results.versions },
    cases: [...ids].flatMap((id) => cases.get(id) ?? []),
  };
  writeFileSync(file, `${JSON.stringify(all, rounded, 2)}\n`);
}

/** Thousandths are more than was measured. */
function rounded(_name: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

/** What can be read off a sample. */
export type Reading = (sample: Sample) => number | undefined;

/** Requests to both ends together. */
export const totalRequests: Reading = ({ requests }) =>
  requests === undefined ? undefined : countRequests(requests.source) + countRequests(requests.destination);

/** Requests that change something at the destination. */
export const writes: Reading = ({ requests }) => {
  if (requests === undefined) return undefined;
  const { POST = 0, PUT = 0, PATCH = 0, DELETE = 0 } = requests.destination;
  return POST + PUT + PATCH + DELETE;
};

/** Returns the median of what was read of a contender; undefined when there is nothing. */
export function middle(
  measured: MeasuredCase | undefined,
  contender: string,
  read: Reading,
): number | undefined {
  const values = (measured?.samples[contender] ?? []).map(read).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : median(values);
}

/** Returns the largest of what was read of a contender; undefined when there is nothing. */
export function most(
  measured: MeasuredCase | undefined,
  contender: string,
  read: Reading,
): number | undefined {
  const values = (measured?.samples[contender] ?? []).map(read).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : Math.max(...values);
}
