import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readActionMetadata } from '../support/action-metadata.ts';

const Scalars = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const Workflow = z.object({
  on: z.object({
    schedule: z.array(z.object({ cron: z.string() })).optional(),
    workflow_dispatch: z.unknown(),
  }),
  permissions: z.record(z.string(), z.string()),
  concurrency: z.object({ group: z.string(), 'cancel-in-progress': z.boolean() }),
  jobs: z.record(
    z.string(),
    z.object({
      'timeout-minutes': z.number(),
      steps: z.array(
        z.object({ name: z.string(), uses: z.string().optional(), with: Scalars.optional() }).loose(),
      ),
    }),
  ),
});

const FILES = ['.github/workflows/sync.yml', '.github/workflows/sync-sharded.yml'];

function read(file: string): z.infer<typeof Workflow> {
  return Workflow.parse(parse(readFileSync(file, 'utf8')));
}

test.each(FILES)('%s asks for little, runs once at a time, and ends in time', (file) => {
  const { permissions, concurrency, jobs } = read(file);
  expect(permissions).toEqual({ contents: 'read' });
  expect(concurrency).toEqual({ group: 'sync', 'cancel-in-progress': false });
  for (const job of Object.values(jobs)) expect(job['timeout-minutes']).toBeLessThan(360);
});

test.each(FILES)('%s pins what is not ours, and gives ours only inputs that exist', async (file) => {
  const { inputs } = await readActionMetadata('action-sync/action.yml');
  const steps = Object.values(read(file).jobs).flatMap((job) => job.steps);
  for (const { uses, with: given = {} } of steps) {
    if (uses === './action-sync')
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(given)));
    else if (uses !== undefined) expect(uses).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40}$/);
  }
  expect(steps.filter(({ uses }) => uses === './action-sync')).toHaveLength(1);
});

test('the nightly run starts at twenty past four in the afternoon, UTC', () => {
  expect(read('.github/workflows/sync.yml').on.schedule).toEqual([{ cron: '20 16 * * *' }]);
});
