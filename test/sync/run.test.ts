import { expect, it } from 'vitest';
import { runSync } from '../../src/sync/run/run.ts';
import { State } from '../../src/sync/state/state.ts';
import { rateLimited } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';

it('a run that only deferred images is recorded as the failure that its exit code makes it', async () => {
  await using source = await startRegistry();
  await using destination = await startRegistry();
  for (const tag of ['1.0', '1.1']) seedImage(source.storage, 'app', { seed: tag, tags: [tag] });
  source.fail({ match: { kind: 'manifest-get' }, times: Number.POSITIVE_INFINITY, fault: rateLimited(3600) });
  const route = new SyncRoute({ source, destination, set: { extras: [`${source.host}/app:1.0`] } });
  await route.run();
  const { report, runs } = await runSync(route.settings(), route.parts());
  expect(report.totals).toMatchObject({ total: 1, deferred: 1, failed: 0 });
  expect(runs.at(-1)).toMatchObject({ outcome: 'failed', deferred: 1 });
  using state = State.open(route.database, { reporter: { warning: () => undefined }, mode: 'read' });
  expect(state.runs(state.scopes()[0] ?? '').map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
});
