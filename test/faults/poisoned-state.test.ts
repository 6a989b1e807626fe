import { expect, it } from 'vitest';
import { parsePlatform } from '../../src/registry/oci/platform.ts';
import { parseHost, parseReference, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { checkImage } from '../../src/sync/check/image-check.ts';
import { State } from '../../src/sync/state/state.ts';
import { TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { outcomes, type RunChoices, SyncRoute } from '../support/sync-run.ts';
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
  const forge = (options: string) => {
    const state = State.open(route.database, { reporter: { warning: () => undefined } });
    const keel = { host: parseHost(destination.host), repository: parseRepository('keel/app') };
    const told = { host: parseHost(source.host), repository: parseRepository('app'), tag };
    const digests = { sourceDigest: right.digest, pushedDigest: evil.digest };
    state.record(keel, { images: [{ tag, source: told, ...digests, options, bytes: 1 }] });
    state.close();
  };
  forge('');
  const held = () => destination.storage.manifest('keel/app', 'v1.0.0')?.digest;
  expect(held()).toBe(evil.digest);
  return {
    source,
    destination,
    route,
    right,
    evil,
    forge,
    held,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

it('cannot call something else the image when every tag is asked for', async () => {
  await using here = await world();
  const { report } = await here.route.run({ verify: 'all' });
  expect(outcomes(report)).toEqual({ 'app:v1.0.0': 'copied' });
  expect(here.held()).toBe(here.right.digest);
  expect(brokenTags(here.destination.storage)).toEqual([]);
});

it.each<[string, string, RunChoices?]>([
  ['itself', ''],
  ['it in another format', 'conversion=docker-format'],
  ['it without attestations', 'conversion=without-attestations'],
  ['it beside what others added', 'others=beside'],
  ['it for some platforms', 'platforms=linux/amd64', { platforms: [parsePlatform('linux/amd64', 'test')] }],
])(
  'cannot have synctl check call something else the image, as if it were %s',
  async (_, options, choices = {}) => {
    await using here = await world();
    const { route, source } = here;
    here.forge(options);
    for (const given of [`${source.host}/app`, `${source.host}/app:v1.0.0`]) {
      const { tags } = await checkImage(parseReference(given), route.settings(choices), route.parts());
      expect(tags).toMatchObject([{ verdict: 'differs' }]);
    }
  },
);

// What docs/security.md admits.
it('can keep a tag from being asked for until its day', async () => {
  await using here = await world();
  const { report } = await here.route.run({ verify: 'none' });
  expect(outcomes(report)).toEqual({ 'app:v1.0.0': 'skipped' });
  expect(here.held()).toBe(here.evil.digest);
});
