import { expect, it } from 'vitest';
import { parseHost, parseReference, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { checkImage } from '../../src/sync/check/image-check.ts';
import { State } from '../../src/sync/state/state.ts';
import { TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';
import { brokenTags } from './wholeness.ts';

/**
 * Someone who can write to the destination, and to the cache from which the state comes: the tag holds what they pushed,
 * and the state says that this is what was mirrored.
 */
async function world() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ frontDoor: true }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  const right = seedImage(source.storage, 'app', { seed: 'right', tags: ['v1.0.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['app'] } });
  await route.run();
  const evil = seedImage(destination.storage, 'keel/app', { seed: 'evil', tags: ['v1.0.0'] });
  const tag = parseTag('v1.0.0');
  const state = State.open(route.database, { reporter: { warning: () => undefined } });
  const keel = { host: parseHost(destination.host), repository: parseRepository('keel/app') };
  const told = { host: parseHost(source.host), repository: parseRepository('app'), tag };
  const forged = {
    tag,
    source: told,
    sourceDigest: right.digest,
    pushedDigest: evil.digest,
    options: '',
    bytes: 1,
  };
  state.record(keel, { images: [forged] });
  state.close();
  const held = () => destination.storage.manifest('keel/app', 'v1.0.0')?.digest;
  expect(held()).toBe(evil.digest);
  return { source, destination, route, right, evil, held, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('cannot call something else the image when every tag is asked for', async () => {
  await using here = await world();
  const { report } = await here.route.run({ verify: 'all' });
  expect(outcomes(report)).toEqual({ 'app:v1.0.0': 'copied' });
  expect(here.held()).toBe(here.right.digest);
  expect(brokenTags(here.destination.storage)).toEqual([]);
});

it('cannot have synctl check call something else the image', async () => {
  await using here = await world();
  const { route, source } = here;
  for (const given of [`${source.host}/app`, `${source.host}/app:v1.0.0`]) {
    const { tags } = await checkImage(parseReference(given), route.settings(), route.parts());
    expect(tags).toMatchObject([{ verdict: 'differs' }]);
  }
});

// What docs/security.md admits.
it('can keep a tag from being asked for until its day', async () => {
  await using here = await world();
  const { report } = await here.route.run({ verify: 'none' });
  expect(outcomes(report)).toEqual({ 'app:v1.0.0': 'skipped' });
  expect(here.held()).toBe(here.evil.digest);
});
