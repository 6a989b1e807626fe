import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case, Contender, Stage } from './case.ts';
import { measure } from './measure.ts';
import { SYNCTL } from './mirrorer.ts';
import { difference } from './route.ts';
import type { Sample } from './sample.ts';
import { openScratch } from './scratch.ts';
import { ServerProcess } from './server-process.ts';
import { repositoryNames, type TagRegistrySettings } from './tag-registry.ts';

// Mirrors very many tags of which none has changed, between two registries of one process that have them all.

const TAGS_OF_REPOSITORY = 100;
const DISTANCE = 30;

/** Returns the cases of mirroring what has not changed. The full set goes to 100,000 tags. */
export function unchangedCases(isFull: boolean): readonly Case[] {
  return [
    withState(1000, ['none']),
    withState(10_000, ['none', 'sample']),
    ...(isFull ? [withState(100_000, ['none'])] : []),
    withoutState(10_000),
  ];
}

/** The source tells digests, and the state of an earlier run is there. */
function withState(tags: number, verify: readonly ('none' | 'sample')[]): Case {
  const open = async (wants: (contender: string) => boolean): Promise<Stage> => {
    const scratch = await openScratch();
    const state = join(scratch.folder, 'state');
    const servers = await startTags({ tags, tellsDigests: true });
    await measure(await commandOf(servers, tags, scratch.folder, state, 'all'));
    const contenders = verify.map((mode): Contender => {
      const run = async (): Promise<Sample> => {
        // Each round begins with the state of the first run.
        const copy = join(scratch.folder, 'copy');
        await measure(`cp '${state}' '${copy}'`);
        const sample = await measureTags(servers, await commandOf(servers, tags, scratch.folder, copy, mode));
        return { ...sample, size: (await stat(copy)).size };
      };
      return { name: `keel --verify ${mode}`, run };
    });
    return {
      contenders: contenders.filter(({ name }) => wants(name)),
      facts: { repositories: tags / TAGS_OF_REPOSITORY, tags, milliseconds: DISTANCE },
      [Symbol.asyncDispose]: async () => {
        await servers[Symbol.asyncDispose]();
        await scratch[Symbol.asyncDispose]();
      },
    };
  };
  const title = `no change in ${tags.toLocaleString('en')} tags, 30 ms away, state there, source tells digests`;
  return { id: `unchanged-${tags}`, part: 'noop', title, open };
}

/** The source tells no digests, and there is no state: every tag is asked for on both sides. */
function withoutState(tags: number): Case {
  const open = async (): Promise<Stage> => {
    const servers = await startTags({ tags, tellsDigests: false });
    const run = async (): Promise<Sample> => {
      await using scratch = await openScratch();
      const state = join(scratch.folder, 'state');
      return await measureTags(servers, await commandOf(servers, tags, scratch.folder, state, 'none'));
    };
    return {
      contenders: [{ name: 'keel', run }],
      facts: { repositories: tags / TAGS_OF_REPOSITORY, tags, milliseconds: DISTANCE },
      [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
    };
  };
  const title = `no change in ${tags.toLocaleString('en')} tags, 30 ms away, neither state nor digests`;
  return { id: `unchanged-${tags}-blind`, part: 'noop', title, open };
}

function startTags(settings: Pick<TagRegistrySettings, 'tags' | 'tellsDigests'>): Promise<ServerProcess> {
  const shape = {
    ...settings,
    repositories: settings.tags / TAGS_OF_REPOSITORY,
    tags: TAGS_OF_REPOSITORY,
    namespace: '',
    milliseconds: DISTANCE,
  };
  return ServerProcess.start('tags', {
    source: shape,
    destination: { ...shape, tellsDigests: false, namespace: 'mirror/' },
  });
}

async function commandOf(
  servers: ServerProcess,
  tags: number,
  folder: string,
  state: string,
  verify: string,
): Promise<string> {
  const set = join(folder, 'image_set.json');
  await writeFile(set, JSON.stringify({ names: repositoryNames(tags / TAGS_OF_REPOSITORY) }));
  const [source, destination] = servers.hosts;
  const route = `--source ${source} --push-to ${destination} --push-ns mirror`;
  return `${SYNCTL} sync ${route} --image-set ${set} --db ${state} --verify ${verify}`;
}

async function measureTags(servers: ServerProcess, command: string): Promise<Sample> {
  const before = await servers.traffic();
  const { stdout: _, ...cost } = await measure(command, { registries: servers.pid });
  return { ...cost, ...difference(before, await servers.traffic()) };
}
