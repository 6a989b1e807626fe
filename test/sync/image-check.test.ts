import { expect, it } from 'vitest';
import { checkJson, checkLines } from '../../src/cli/text/check-text.ts';
import { milliseconds } from '../../src/lib/duration.ts';
import { parseManifest } from '../../src/registry/oci/manifest.ts';
import { parseReference } from '../../src/registry/oci/reference.ts';
import { checkImage } from '../../src/sync/check/image-check.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage, seedWindows } from '../support/registry/seed.ts';
import { outcomes, SyncRoute } from '../support/sync-run.ts';

async function world() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  seedImage(source.storage, 'pause', { seed: 'pause', tags: ['3.10'] });
  const route = new SyncRoute({ source, destination, set: { names: ['pause'] } });
  return { source, destination, route, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it.each(['source', 'destination'] as const)(
  'ends at --command-timeout where the %s is silent',
  async (side) => {
    await using all = await world();
    all[side].fail({ times: Number.POSITIVE_INFINITY, fault: { kind: 'silence' } });
    const image = parseReference(`${all.source.host}/pause:3.10`);
    const settings = all.route.settings({ commandTimeout: milliseconds(100) });
    await expect(checkImage(image, settings, all.route.parts())).rejects.toMatchObject({
      code: 'COMMAND_TIMED_OUT',
      message: 'the time limit of 100 ms is over',
    });
  },
);

it('of a tag, of a digest and of all tags that are wanted asks both sides', async () => {
  await using all = await world();
  const { source, route } = all;
  const check = async (name: string) => {
    const { tags } = await checkImage(
      parseReference(`${source.host}/${name}`),
      route.settings(),
      route.parts(),
    );
    return tags.map(({ verdict, isWanted }) => [verdict, isWanted]);
  };
  expect(await check('pause:3.10')).toEqual([['missing', true]]);
  await route.run();
  expect(await check('pause:3.10')).toEqual([['mirrored', true]]);
  expect(await check('pause')).toEqual([['mirrored', true]]);
  expect(await check('pause:3.9')).toEqual([['nowhere', false]]);
  const digest = source.storage.repository('pause').tags.get('3.10');
  expect(await check(`pause@${digest}`)).toEqual([['mirrored', undefined]]);
});

it('of a name at the destination needs the state, which records what the image was mirrored from', async () => {
  await using all = await world();
  const { destination, route } = all;
  const image = parseReference(`${destination.host}/keel/pause:3.10`);
  const check = () => checkImage(image, route.settings(), route.parts());
  await expect(check()).rejects.toMatchObject({
    code: 'IMAGE_NOT_KNOWN',
    message: expect.stringContaining('the state does not record which image it was mirrored from'),
    hint: expect.stringContaining('give the name of the image at its source'),
  });
  await route.run();
  expect((await check()).tags).toMatchObject([{ verdict: 'mirrored' }]);
});

it('tells of a foreign layer that was left out, which is no fault', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedWindows(source.storage, 'windows', { tags: ['1.0.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['windows'] } });
  await route.run();
  const image = parseReference(`${source.host}/windows:1.0.0`);
  const { tags } = await checkImage(image, route.settings(), route.parts());
  expect(tags).toMatchObject([
    {
      verdict: 'mirrored',
      message: expect.stringContaining(
        'down to each layer except 1 layer of a type that is not distributed, whose addresses are in the manifest (1 image, ',
      ),
    },
  ]);
  expect(outcomes((await route.run({ verify: 'deep' })).report)).toEqual({ 'windows:1.0.0': 'checked' });
});

it('of all tags compares digests, and with --verify deep all that is below them', async () => {
  await using all = await world();
  const { source, destination, route } = all;
  seedImage(source.storage, 'pause', { seed: 'other', tags: ['3.9'] });
  await route.run();
  const lost = parseManifest(
    destination.storage.manifest('keel/pause', '3.9')?.bytes ?? Buffer.alloc(0),
    undefined,
    'pause',
  );
  const [layer] = lost.kind === 'image' ? lost.layers : [];
  expect(layer !== undefined && destination.storage.deleteBlob('keel/pause', layer.digest)).toBe(true);
  const check = async (verify: 'sample' | 'deep') => {
    const image = parseReference(`${source.host}/pause`);
    const checked = await checkImage(image, route.settings({ verify }), route.parts());
    return { checked, json: JSON.stringify(checkJson(checked)), end: checkLines(checked).at(-1) };
  };
  const shallow = await check('sample');
  expect(shallow.end).toMatch(
    /^mirrored: its 2 tags have the digests of the source; to check the parts of a tag, run synctl check IMAGE:TAG$/,
  );
  expect(shallow.json.match(/"compared":"digest"/g)).toHaveLength(2);
  const deep = await check('deep');
  expect(deep.checked.tags.map(({ verdict }) => verdict).toSorted()).toEqual(['incomplete', 'mirrored']);
  expect(deep.end).toBe('not mirrored: of 2 tags 1 is mirrored and 1 is incomplete');
  expect(deep.json.match(/"compared":"parts"/g)).toHaveLength(2);
  await route.run({ verify: 'deep' });
  expect((await check('deep')).end).toBe(
    'mirrored: its 2 tags have the digests of the source, and the destination has all of their parts',
  );
});
