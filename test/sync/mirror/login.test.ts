import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runSync } from '../../../src/sync/run/run.ts';
import { type Access, PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { seedImage } from '../../support/registry/seed.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { SyncRoute } from '../../support/sync-run.ts';

const NAMES = Array.from({ length: 20 }, (_, index) => `app${index}`);

function withPassword({ journal }: TestRegistry): number {
  return journal.entries.filter(({ headers }) => headers.authorization?.startsWith('Basic ')).length;
}

/** Gives anybody a token, and takes it for pings. */
const OPEN: Access = {
  mode: 'bearer',
  wrongPassword: 'anonymous',
  isPingOpen: true,
  anonymousPull: true,
  allows: (user) => user !== undefined,
};

it.each<[string, Access, number?]>([
  ['as Harbor, with a token for nobody', { mode: 'bearer', wrongPassword: 'anonymous', anonymousPull: true }],
  ['as GHCR, with 403', { mode: 'bearer', wrongPassword: 403 }],
  ['with 401', { mode: 'bearer' }],
  ['itself, without tokens', { mode: 'basic' }],
  ['when it is asked for a repository, and so the fourth time', OPEN, 4],
])(
  'a run of 20 images tries a wrong password once: the source refuses it %s',
  async (_, access, tries = 1) => {
    await using source = await startRegistry({ access: { ...access, users: { keel: 'secret' } } });
    await using destination = await startRegistry({ access: TOKENS });
    for (const name of NAMES) seedImage(source.storage, name, { tags: ['1.0'] });
    const route = new SyncRoute({ source, destination, set: { names: NAMES } });
    const folder = scratchFolder();
    const auth = Buffer.from('keel:wrong').toString('base64');
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [source.host]: { auth } } }));
    const parts = { ...route.parts(), environment: { ...route.parts().environment, DOCKER_CONFIG: folder } };
    const { report } = await runSync(route.settings(), parts);
    expect(report.images.filter(({ reason }) => reason?.code === 'UNAUTHORIZED')).toHaveLength(20);
    expect(withPassword(source)).toBe(tries);
  },
);

it('a run tries a wrong password four times: the destination takes a token for nobody until it is asked for more', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: { ...OPEN, users: { keel: 'secret' } } });
  for (const name of NAMES) seedImage(source.storage, name, { tags: ['1.0'] });
  const route = new SyncRoute({ source, destination, set: { names: NAMES } });
  const { report } = await route.run({ username: 'keel', password: 'wrong' });
  expect(report.images.filter(({ reason }) => reason?.code === 'UNAUTHORIZED')).toHaveLength(20);
  expect(withPassword(destination)).toBe(4);
});

it('a run tries a wrong password once: the destination gives a token for nobody', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  const access: Access = { mode: 'bearer', users: { keel: 'secret' }, wrongPassword: 'anonymous' };
  await using destination = await startRegistry({ access });
  for (const name of NAMES) seedImage(source.storage, name, { tags: ['1.0'] });
  const route = new SyncRoute({ source, destination, set: { names: NAMES } });
  await expect(route.run({ username: 'keel', password: 'wrong' })).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: expect.stringContaining('cannot log in'),
  });
  expect(withPassword(destination)).toBe(1);
});
