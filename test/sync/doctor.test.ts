import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { examine } from '../../src/sync/doctor/doctor.ts';
import type { Access } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';

it.each(['source', 'destination'] as const)(
  'ends at --command-timeout where the %s is silent',
  async (side) => {
    await using source = await startRegistry();
    await using destination = await startRegistry();
    seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
    const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
    const silent = side === 'source' ? source : destination;
    silent.fail({ times: Number.POSITIVE_INFINITY, fault: { kind: 'silence' } });
    const settings = route.settings({ commandTimeout: milliseconds(100) });
    await expect(examine(settings, route.parts(), () => undefined)).rejects.toMatchObject({
      code: 'COMMAND_TIMED_OUT',
      message: 'the time limit of 100 ms is over',
    });
  },
);

it.each([undefined, 'basic', 'bearer'] as const)(
  'deletes what it pushed where it is stopped in the middle (access: %s)',
  async (mode) => {
    await using source = await startRegistry();
    const login = { username: 'keel', password: 'secret' };
    const access: Access = { mode: mode ?? 'none', users: { keel: 'secret' } };
    await using destination = await startRegistry({ access });
    seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
    const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
    const stop = new AbortController();
    let pushed = 0;
    destination.fail({
      match: {
        kind: 'manifest-put',
        when: () => {
          pushed += 1;
          // The third manifest is on its way when someone presses Ctrl-C.
          if (pushed === 3) stop.abort(new Error('stopped'));
          return false;
        },
      },
      fault: { kind: 'status', status: 500 },
    });
    const settings = route.settings(mode === undefined ? {} : login);
    const examining = examine(settings, { ...route.parts(), signal: stop.signal }, () => undefined);
    await expect(examining).rejects.toThrow('stopped');
    expect(pushed).toBeGreaterThanOrEqual(3);
    const left = [...destination.storage.repositories].flatMap(([, { manifests, blobs }]) => [
      ...manifests.keys(),
      ...blobs,
    ]);
    expect(left).toEqual([]);
  },
);

it('takes no token for nobody for a login, and tries a wrong password once', async () => {
  await using source = await startRegistry();
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
  const access: Access = { mode: 'bearer', users: { keel: 'secret' }, wrongPassword: 'anonymous' };
  await using destination = await startRegistry({ access });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
  const settings = route.settings({ username: 'keel', password: 'wrong' });
  const diagnoses = await examine(settings, route.parts(), () => undefined);
  expect(diagnoses.find(({ check }) => check === 'login')).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('cannot log in'),
  });
  const withPassword = destination.journal.entries.filter(({ headers }) =>
    headers.authorization?.startsWith('Basic '),
  );
  expect(withPassword).toHaveLength(1);
});
