import type { Case, Stage } from './case.ts';
import { largeLayerCase } from './large-layer.ts';
import { installedMirrorers, type Mirrorer, type MirrorTask } from './mirrorer.ts';
import { type RegistryAccess, startRegistryWith } from './registry-access.ts';
import { Route, type RouteShape } from './route.ts';
import type { Sample } from './sample.ts';
import { openScratch } from './scratch.ts';
import { type SyncSource, startSource } from './sync-source.ts';

// Mirrors the same repositories from one docker-registry to another: into an empty one (cold), and again without a
// change. 30 ms away for what waiting costs, and with nothing between them for what work costs. Over plain HTTP, where
// requests can be counted on their way, and over TLS with tokens, as users do it.

const HUNDRED_MEGABIT = 100e6 / 8;

/** Returns the cases of mirroring. The quick set mirrors 3 repositories; the full one also all 20. */
export function syncCases(isFull: boolean): readonly Case[] {
  const away = { milliseconds: 30 };
  const capped = { milliseconds: 30, bytesPerSecond: HUNDRED_MEGABIT };
  const few = '3 repositories';
  const near = isFull ? '20 repositories' : few;
  return [
    cold({ id: 'cold-30', title: `cold mirror of ${few}, 30 ms away` }, away, false),
    ...(isFull
      ? [
          cold(
            { id: 'cold-30-full', title: 'cold mirror of 20 repositories, 30 ms away', rounds: 1 },
            away,
            true,
          ),
        ]
      : []),
    cold({ id: 'cold-0', title: `cold mirror of ${near}, nothing in between` }, { milliseconds: 0 }, isFull),
    cold(
      { id: 'cold-capped', title: `cold mirror of ${few} through 100 Mbit/s, 30 ms away` },
      capped,
      false,
      ['keel'],
    ),
    cold(
      { id: 'cold-30-tls', title: `cold mirror of ${few} over TLS, 30 ms away` },
      away,
      false,
      undefined,
      'tls',
    ),
    cold(
      { id: 'cold-0-tls', title: `cold mirror of ${near} over TLS, nothing in between` },
      { milliseconds: 0 },
      isFull,
      undefined,
      'tls',
    ),
    largeLayerCase('plain'),
    largeLayerCase('tls'),
    unchanged(isFull, 'plain'),
    unchanged(isFull, 'tls'),
  ];
}

type Name = Pick<Case, 'id' | 'title' | 'rounds'>;

function cold(
  name: Name,
  shape: RouteShape,
  isFull: boolean,
  only?: readonly string[],
  access: RegistryAccess = 'plain',
): Case {
  const open = async (wants: (contender: string) => boolean): Promise<Stage> => {
    const source = await startSource(isFull, access);
    const run = async (mirrorer: Mirrorer): Promise<Sample> => {
      await using scratch = await openScratch();
      await using destination = await startRegistryWith(access);
      await using route = await Route.open(source.registry, destination, shape);
      return await route.measure(await mirrorer.command(taskOf(source, route, scratch.folder)));
    };
    const isWanted = (contender: string): boolean => wants(contender) && only?.includes(contender) !== false;
    return { ...stageOf(isWanted, run), ...endOf(source), facts: factsOf(source, shape) };
  };
  return { ...name, part: 'sync', open };
}

/** Runs over what the same tool has mirrored before, each under names of its own: none remembers anything. */
function unchanged(isFull: boolean, access: RegistryAccess): Case {
  const shape = { milliseconds: 30 };
  const tags = isFull ? '20 repositories, 200 tags' : '3 repositories, 30 tags';
  const open = async (wants: (contender: string) => boolean): Promise<Stage> => {
    const source = await startSource(isFull, access);
    const destination = await startRegistryWith(access);
    const mirrored = new Set<Mirrorer>();
    const mirror = async (mirrorer: Mirrorer, between: RouteShape): Promise<Sample> => {
      await using scratch = await openScratch();
      await using route = await Route.open(source.registry, destination, between);
      return await route.measure(await mirrorer.command(taskOf(source, route, scratch.folder)));
    };
    const again = async (mirrorer: Mirrorer): Promise<Sample> => {
      // Skopeo leaves out all but the last part of a name.
      if (!mirrored.has(mirrorer)) await mirror(mirrorer, { milliseconds: 0 });
      mirrored.add(mirrorer);
      return mirror(mirrorer, shape);
    };
    return {
      ...stageOf(wants, again),
      facts: factsOf(source, shape),
      [Symbol.asyncDispose]: async () => {
        await destination[Symbol.asyncDispose]();
        await source.registry[Symbol.asyncDispose]();
      },
    };
  };
  const [id, over] = access === 'plain' ? ['unchanged', ''] : ['unchanged-tls', ' over TLS'];
  return { id, part: 'sync', title: `no change in ${tags}${over}, no state, 30 ms away`, open };
}

function taskOf(source: SyncSource, route: Route, folder: string): MirrorTask {
  const { repositories, access } = source;
  return { from: route.from, to: route.to, repositories, access, folder };
}

function factsOf(source: SyncSource, shape: RouteShape): Readonly<Record<string, number>> {
  const { milliseconds, bytesPerSecond } = shape;
  return { ...source.facts, milliseconds, ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }) };
}

function endOf(source: SyncSource): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => source.registry[Symbol.asyncDispose]() };
}

function stageOf(
  wants: (contender: string) => boolean,
  run: (mirrorer: Mirrorer) => Promise<Sample>,
): Pick<Stage, 'contenders'> {
  const wanted = installedMirrorers().filter(({ name }) => wants(name));
  return { contenders: wanted.map((mirrorer) => ({ name: mirrorer.name, run: () => run(mirrorer) })) };
}
