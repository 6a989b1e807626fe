import { expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { examine } from '../../src/sync/doctor/doctor.ts';
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
