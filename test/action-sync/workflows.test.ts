import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeReport } from '../../src/sync/report/report-file.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { fillIn, stepsOf, type WorkflowStep } from '../support/workflow.ts';
import { type Night, Nights, PASSWORD, USERNAME } from './nights.ts';

const CONFIGURED = { 'vars.REGISTRY_USERNAME': USERNAME, 'secrets.REGISTRY_PASSWORD': PASSWORD };

/** Runs a step of ours as a workflow has it, but between the registries of the test. */
async function run(
  nights: Nights,
  step: WorkflowStep | undefined,
  context: Readonly<Record<string, string | undefined>>,
): Promise<Night> {
  const given = Object.entries(step?.with ?? {}).map(([name, value]) => [name, fillIn(value, context)]);
  const { source, 'ca-file': authority = '', 'push-to': destination = '' } = nights.inputs();
  const here = { source, 'ca-file': authority, 'push-to': destination };
  return nights.night({ exactly: { ...Object.fromEntries(given), ...here } });
}

const ours = ({ uses }: WorkflowStep): boolean => uses === './action-sync';

test.each([
  { by: 'the schedule', context: { 'inputs.dry-run': undefined, 'inputs.verify': undefined }, tags: 9 },
  { by: 'hand, dry', context: { 'inputs.dry-run': 'true', 'inputs.verify': 'all' }, tags: 0 },
])('sync.yml started by $by', async ({ context, tags }) => {
  const nights = await Nights.start();
  const step = stepsOf('.github/workflows/sync.yml', 'sync').find(ours);
  const { main, post } = await run(nights, step, { ...CONFIGURED, ...context });
  expect([main.exitCode, post.exitCode]).toEqual([0, 0]);
  expect(main.outputs).toMatchObject({ total: '9', copied: '9', failed: '0' });
  expect(main.leaks).toEqual([]);
  const stored = [...nights.destination.storage.repositories].flatMap(([name, { tags: held }]) =>
    name.startsWith('keel/') ? [...held.keys()] : [],
  );
  expect(stored).toHaveLength(tags);
});

test('sync-sharded.yml: each job its shard, and the last one joins their reports', async () => {
  const nights = await Nights.start();
  const file = '.github/workflows/sync-sharded.yml';
  const step = stepsOf(file, 'sync').find(ours);
  const folder = scratchFolder();
  let images = 0;
  for (const shard of ['1', '2', '3', '4']) {
    const context = { 'matrix.shard': shard, 'strategy.job-total': '4', 'inputs.dry-run': 'false' };
    const { report, main } = await run(nights, step, { ...CONFIGURED, ...context });
    expect(main.outputs['report']).toBe(`sync-report-${shard}.json`);
    if (report === undefined) throw new Error(`shard ${shard} left no report`);
    images += report.images.length;
    writeReport(path.join(folder, 'reports', `sync-report-${shard}.json`), report);
  }
  expect(images).toBe(9);
  const join = stepsOf(file, 'report').find(({ run: script }) => script?.startsWith('./synctl merge'));
  const synctl = `'${process.execPath}' '${path.resolve('build/src/synctl.js')}'`;
  const script = (join?.run ?? '').replace('./synctl', synctl);
  const { stdout } = await promisify(execFile)('bash', ['-e', '-c', script], { cwd: folder });
  expect(stdout).toMatch(/^9 copied \(445 KiB\) in /m);
});
