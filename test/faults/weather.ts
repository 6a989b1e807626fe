import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { milliseconds } from '../../src/lib/duration.ts';
import { runSync } from '../../src/sync/run/run.ts';
import { type Fault, htmlError, rateLimited } from '../support/registry/faults.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { Storage } from '../support/registry/storage.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { randomFrom } from './random.ts';
import { brokenTags } from './wholeness.ts';

/** Faults that pass, as busy registries and networks have them. */
const PASSING: readonly Fault[] = [
  { kind: 'status', status: 500 },
  htmlError(502),
  rateLimited(0),
  rateLimited(0, 503),
  { kind: 'reset' },
  { kind: 'reset-answer', afterBytes: 10 },
  { kind: 'reset-request', afterBytes: 500 },
  { kind: 'truncate', bytes: 50, declared: 'whole' },
  { kind: 'wrong-bytes' },
];

const BREAKS_BODY: ReadonlySet<Fault['kind']> = new Set(['reset-answer', 'truncate']);
const WITH_BODY: ReadonlySet<RequestKind> = new Set(['manifest-get', 'blob-get', 'storage-get', 'tags-list']);

/** How many answers go wrong. */
export interface Weather {
  /** Of all answers, between 0 and 1. */
  readonly share: number;
  readonly seed: number;
  /** How often the same request meets a fault at most; as often as chance will have it by default. */
  readonly timesEach?: number | undefined;
}

/** Lets answers of a registry go wrong from now on. */
export function breakSomeOf(registry: TestRegistry, { share, seed, timesEach = Infinity }: Weather): void {
  const random = randomFrom(seed);
  const met = new Map<string, number>();
  let fate = 1;
  // The first rule that is asked draws for all of them.
  PASSING.forEach((fault, position) => {
    const when = (entry: JournalEntry): boolean => {
      if (position === 0) fate = random();
      const isDrawn =
        fate >= (position * share) / PASSING.length && fate < ((position + 1) * share) / PASSING.length;
      if (!isDrawn) return false;
      // Without a body it would hit the request that comes next on the connection.
      if (BREAKS_BODY.has(fault.kind) && !WITH_BODY.has(entry.kind)) return false;
      const times = (met.get(sameRequest(entry)) ?? 0) + 1;
      met.set(sameRequest(entry), times);
      return times <= timesEach;
    };
    registry.fail({ match: { when }, times: Number.POSITIVE_INFINITY, fault });
  });
}

/**
 * What stays the same when a request is repeated. Each upload has an address of its own, and its blob stays; a blob may
 * be read from another repository.
 */
function sameRequest({ listener, kind, repository, reference, query }: JournalEntry): string {
  const what = query.get('digest') ?? query.get('mount') ?? (query.getAll('scope').join(' ') || reference);
  const isRead = kind === 'blob-get' || kind === 'storage-get';
  return [listener, kind, isRead ? '' : repository, what].join(' ');
}

const LOGIN = { username: 'robot', password: 'a password for all weathers' };
const REPOSITORIES = 5;
const TAGS_EACH = 4;

function seedWorld(): Storage {
  const storage = new Storage();
  for (let name = 0; name < REPOSITORIES; name += 1) {
    for (let patch = 0; patch < TAGS_EACH; patch += 1) {
      const image = { seed: `${name} ${patch}`, tags: [`v1.0.${patch}`], layers: [3000, 1000] };
      if (patch === 0) seedIndex(storage, `app-${name}`, { ...image, layerSeeds: ['base'] });
      else seedImage(storage, `app-${name}`, { ...image, layerSeeds: [`base ${name % 2}`] });
    }
  }
  return storage;
}

/** What became of a mirror in bad weather. */
export interface Outcome {
  readonly images: number;
  /** The destination and the reason of each image that failed. */
  readonly failures: readonly string[];
  readonly brokenTags: readonly string[];
  readonly requests: number;
}

/** Mirrors a few repositories in weather at the source and at the destination. */
export async function mirrorIn(weather: Weather, attempts: number): Promise<Outcome> {
  const storage = seedWorld();
  await using source = await startRegistry({ frontDoor: true, storage });
  const { username, password } = LOGIN;
  const access = { mode: 'bearer', users: { [username]: password } } as const;
  await using destination = await startRegistry({ access });
  const names = Array.from({ length: REPOSITORIES }, (_, name) => `app-${name}`);
  await using folder = await mkdtempDisposable(join(tmpdir(), 'keel-weather-'));
  const route = new SyncRoute({
    source,
    destination: { host: destination.host, login: LOGIN },
    set: { names },
    folder: folder.path,
  });
  breakSomeOf(source, { ...weather, seed: 2 * weather.seed });
  breakSomeOf(destination, { ...weather, seed: 2 * weather.seed + 1 });
  const settings = route.settings({
    retry: { attempts, interval: milliseconds(1) },
    caFile: AUTHORITY_FILE,
  });
  const { report } = await runSync(settings, route.parts());
  return {
    images: report.totals.total,
    failures: report.images
      .filter(({ outcome }) => outcome !== 'copied')
      .map(({ destination: name, outcome, reason }) => `${name}: ${outcome}, ${reason?.message ?? ''}`),
    brokenTags: brokenTags(destination.storage).map(String),
    requests: source.journal.count() + destination.journal.count(),
  };
}
