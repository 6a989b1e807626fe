import { parseArgs } from 'node:util';
import { alignColumns } from '../src/lib/text/columns.ts';
import { archiveCases } from './archive.ts';
import { type Case, PARTS } from './case.ts';
import { imageArchivesCase } from './image-archives.ts';
import { describeMachine, findVersions } from './machine.ts';
import { describeNoise } from './noise.ts';
import { trustBenchRegistries } from './registry-access.ts';
import { type MeasuredCase, type Results, writeResults } from './results.ts';
import type { Sample } from './sample.ts';
import { chooseScratch } from './scratch.ts';
import { syncCases } from './sync.ts';
import { caseTable, type Table, targetTable } from './table.ts';
import { unchangedCases } from './unchanged.ts';
import { uploadCase } from './upload.ts';

const USAGE = `Usage: node build/bench/run.js [options]
  --full           all sizes, instead of the quick set
  --part PART      only these parts (several times): ${PARTS.join(', ')}
  --case ID        only these cases (several times)
  --without NAME   leave out a tool, such as skopeo (several times)
  --rounds N       how often everything is measured, in turn (3)
  --json FILE      write the results there; cases that it has and that are not measured now stay in it
  --list           say which cases there are, and measure nothing
`;

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    part: { type: 'string', multiple: true, default: [] },
    case: { type: 'string', multiple: true, default: [] },
    without: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function allCases(isFull: boolean): readonly Case[] {
  return [
    ...syncCases(isFull),
    ...unchangedCases(isFull),
    ...archiveCases(),
    imageArchivesCase(isFull),
    uploadCase(isFull),
  ];
}

/** Lets all contenders run in turn, so that what disturbs the machine for a while disturbs each of them. */
async function measureCase(each: Case, rounds: number): Promise<MeasuredCase> {
  await using stage = await each.open((contender) => !values.without.includes(contender));
  const samples: Record<string, Sample[]> = {};
  for (let round = 0; round < Math.min(rounds, each.rounds ?? rounds); round += 1) {
    for (const { name, run } of stage.contenders) samples[name] = [...(samples[name] ?? []), await run()];
  }
  const { id, title } = each;
  return { id, title, measured: new Date().toISOString(), facts: stage.facts ?? {}, samples };
}

function print(table: Table): void {
  const columns = new Set(table[0]?.slice(1).map((_, index) => index + 1));
  console.log(`${alignColumns(table, columns).join('\n')}\n`);
}

async function run(cases: readonly Case[]): Promise<void> {
  trustBenchRegistries();
  const machine = describeMachine(chooseScratch());
  const versions = await findVersions();
  console.log(
    `${Object.entries(versions)
      .map(([program, version]) => `${program} ${version}`)
      .join(', ')}; ${machine.cores} × ${machine.processor}\n`,
  );
  const order = allCases(true).map(({ id }) => id);
  const measured: MeasuredCase[] = [];
  const results: Results = { machine, versions, cases: measured };
  for (const each of cases) {
    console.log(`${each.id}: ${each.title}`);
    const found = await measureCase(each, Number(values.rounds));
    measured.push(found);
    print(caseTable(found, machine.cores));
    if (values.json !== undefined) writeResults(values.json, results, order);
  }
  print(targetTable(results));
  console.log(describeNoise(results));
}

const wanted = allCases(values.full).filter(
  ({ id, part }) =>
    (values.part.length === 0 || values.part.includes(part)) &&
    (values.case.length === 0 || values.case.includes(id)),
);
if (values.help) console.log(USAGE);
else if (values.list) for (const { id, part, title } of wanted) console.log(`${part}  ${id}: ${title}`);
else await run(wanted);
