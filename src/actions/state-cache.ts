import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Duration, formatDuration } from '../lib/duration.ts';
import { describeFailure, failureCode } from '../lib/failure.ts';
import { HttpClient } from '../lib/http/http.ts';
import type { Reporter } from '../lib/reporter.ts';
import { type RetryPolicy, retry } from '../lib/retry.ts';
import { applyJournal } from '../lib/sqlite.ts';
import { countOf } from '../lib/text/sentence.ts';
import { formatSize } from '../lib/text/size.ts';
import type { SyncSettings } from '../sync/settings.ts';
import { SHARD_LIMIT } from '../sync/shard.ts';
import { joinStates } from '../sync/state/joined-state.ts';
import { FORMAT_VERSION } from '../sync/state/schema.ts';
import { routeHash } from '../sync/state/state-in-registry.ts';
import { cacheAddress, findCacheEntry, openCacheEntry } from './cache-service.ts';
import { refusedArchive, unpackState } from './state-archive.ts';
import { listenTo, reasonIn } from './toolkit-output.ts';

/** The cache keys of a run's state. */
interface StateKeys {
  /** The prefix of all keys of this route, whatever its shards. */
  readonly family: string;
  /** The key to save under. Never used twice, because a cache entry cannot be changed. */
  readonly key: string;
  /** Prefixes of keys to restore from, the best first. */
  readonly prefixes: readonly string[];
}

/** How long to wait for the cache, and where to report. */
interface StateCacheSettings {
  readonly reporter: Reporter;
  /** A state that arrives later is not used. */
  readonly timeLimit: Duration;
  /** Returns whether a restored file is one that a run would not touch, such as that of another program. */
  readonly isForeign?: ((file: string) => boolean) | undefined;
  readonly signal?: AbortSignal;
}

interface RestoreSettings extends StateCacheSettings {
  /** How often to retry a cache that fails, within the time limit. */
  readonly retry: RetryPolicy;
}

// The cache includes the list of paths in the identity of an entry, and stores paths relative to the workspace. With a
// fixed relative folder, an entry is found again with any --db and any workspace.
const FOLDER = '.keel-sync-state';
// With a slash as in archives, on Windows too.
const FILE = `${FOLDER}/state.db`;
/** SQLite needs the rollback journal to repair a file whose writer was killed. */
const JOURNAL = '-journal';
const CONSEQUENCE = 'this run checks what the destination has';

/** Returns the cache keys of a run's state, made from format, source, destination, shard, run and attempt. */
export function stateKeys(
  settings: Pick<SyncSettings, 'source' | 'destination' | 'namespace' | 'shard'>,
  run: { readonly id: string; readonly attempt: string },
): StateKeys {
  const { shard } = settings;
  const family = `keel-sync-v${FORMAT_VERSION}-${routeHash(settings)}-`;
  const own = `${family}${shard?.index ?? 1}of${shard?.count ?? 1}-`;
  // If the number of shards has changed, the state of another shard may contain this one's images. A run without shards
  // can use the newest state of all: if it is a shard's, the run joins those of the other shards to it.
  const prefixes = shard === undefined ? [family] : [own, family];
  return { family, key: `${own}${run.id}-${run.attempt}`, prefixes };
}

/**
 * Restores the newest state of this route from the Actions cache to `file`, unless the file exists. Returns whether
 * there is a state now. Never throws: without a state, a run only takes more requests.
 */
export async function restoreState(
  file: string,
  keys: StateKeys,
  settings: RestoreSettings,
): Promise<boolean> {
  const { key, prefixes } = keys;
  const { reporter } = settings;
  try {
    if ((await sizeOf(file)) > 0) {
      reporter.line(`state: ${file} exists, so the cache is not used`);
      return true;
    }
    const found = await fetchState(key, prefixes, settings);
    if (found === undefined) {
      reporter.line(`state: none in the cache yet; ${CONSEQUENCE}`);
      return false;
    }
    await move(FILE, file);
    reporter.line(`state: restored from the cache, ${formatSize(found.size)} (${found.key})`);
    const others = otherStates(keys, found.key);
    if (others.length > 0) await joinOthers(file, others, keys, settings);
    return true;
  } catch (error) {
    tell(`state: not restored, ${describeFailure(error)}; ${CONSEQUENCE}`, error, reporter);
    return false;
  } finally {
    await rm(FOLDER, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Reports why a state was not restored. Only an archive that another program put into the cache deserves a warning. */
function tell(text: string, error: unknown, reporter: Reporter): void {
  if (failureCode(error) === 'STATE_UNUSABLE') reporter.warning(text);
  else reporter.line(text);
}

/**
 * Fetches the newest state whose key begins with one of the prefixes to `FILE`. Returns its key and size; undefined if
 * there is none. Throws an error with the reason if the cache does not return it.
 */
async function fetchState(
  key: string,
  prefixes: readonly string[],
  { reporter, timeLimit, retry: policy, signal, isForeign }: RestoreSettings,
): Promise<{ readonly key: string; readonly size: number } | undefined> {
  const address = cacheAddress(process.env);
  if (address === undefined) throw new Error('there is no Actions cache here');
  const limit = AbortSignal.timeout(timeLimit);
  const stop = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  const http = new HttpClient();
  let last = '';
  const onRetry = (error: unknown): void => {
    last = ` (${describeFailure(error)})`;
    reporter.detail(`state: retrying, ${describeFailure(error)}`);
  };
  try {
    return await retry({ policy, signal: stop, onRetry }, async () => {
      await rm(FOLDER, { recursive: true, force: true });
      const entry = await findCacheEntry(http, address, { paths: [FOLDER], key, prefixes }, stop);
      if (entry === undefined) return undefined;
      await mkdir(FOLDER);
      const archive = await openCacheEntry(http, entry, stop);
      const size = await unpackState(archive, { folder: FOLDER, file: FILE });
      // Such a file would end the run, which would then save it for the next one.
      if (isForeign?.(FILE) === true) throw refusedArchive('it contains no state');
      return { key: entry.key, size };
    });
  } catch (error) {
    if (signal?.aborted === true) throw new Error('the run was stopped');
    if (!limit.aborted) throw error;
    throw new Error(`the cache did not answer within ${formatDuration(timeLimit)}${last}`);
  } finally {
    http.close();
  }
}

/**
 * Returns the prefixes of the keys of the states with the rest, if a run without shards got the state of a shard: those
 * of the other shards, and those of earlier runs without shards.
 */
function otherStates({ family, prefixes }: StateKeys, restored: string): string[] {
  const isUndivided = prefixes[0] === family;
  const [, index, count] = /^(\d+)of(\d+)-/.exec(restored.slice(family.length)) ?? [];
  if (!isUndivided || index === undefined || Number(count) < 2) return [];
  const shards = Array.from({ length: Math.min(Number(count), SHARD_LIMIT) }, (_, before) => before + 1);
  const rest = shards.filter((shard) => shard !== Number(index)).map((shard) => `${shard}of${count}`);
  return [...rest, '1of1'].map((name) => `${family}${name}-`);
}

/** Joins other states of the cache to the one in a file, as long as the time limit allows. */
async function joinOthers(
  file: string,
  others: readonly string[],
  { key }: StateKeys,
  settings: RestoreSettings,
): Promise<void> {
  const { reporter, timeLimit } = settings;
  const began = performance.now();
  let joined = 0;
  for (const prefix of others) {
    if (performance.now() - began > timeLimit) break;
    try {
      const found = await fetchState(key, [prefix], settings);
      if (found !== undefined) joined += joinStates(file, [FILE], (reason) => reporter.detail(reason));
    } catch (error) {
      tell(`state: the state of another shard was not merged, ${describeFailure(error)}`, error, reporter);
    }
  }
  reporter.line(`state: restored from one shard and merged with ${countOf(joined, 'other state')}`);
}

/**
 * Saves the state at `file` to the Actions cache and returns whether it did. Never throws: the next run then starts
 * from an older state.
 */
export async function saveState(file: string, key: string, settings: StateCacheSettings): Promise<boolean> {
  const { reporter } = settings;
  try {
    const size = await sizeOf(file);
    if (size === 0) {
      reporter.line('state: nothing to save');
      return false;
    }
    await rm(FOLDER, { recursive: true, force: true });
    await mkdir(FOLDER);
    if ((await sizeOf(`${file}${JOURNAL}`)) > 0) applyJournal(file);
    await copyFile(file, FILE);
    const { value = -1, reason } = await ask(settings, (cache) => cache.saveCache([FOLDER], key));
    if (value < 0) {
      reporter.line(
        `state: not saved, ${reason ?? 'the cache did not accept it'}; the next run uses an older one`,
      );
      return false;
    }
    reporter.line(`state: saved in the cache, ${formatSize(size)} (${key})`);
    return true;
  } catch (error) {
    reporter.line(`state: not saved, ${describeFailure(error)}; the next run uses an older one`);
    return false;
  } finally {
    await rm(FOLDER, { recursive: true, force: true }).catch(() => undefined);
  }
}

type Cache = typeof import('@actions/cache');

/** Returns whether the runner offers a cache, new or old, without loading the toolkit, which is slow. */
function hasCache(): boolean {
  const { ACTIONS_RESULTS_URL = '', ACTIONS_CACHE_URL = '' } = process.env;
  return ACTIONS_RESULTS_URL !== '' || ACTIONS_CACHE_URL !== '';
}

/** Asks the cache, within the time limit. Returns its answer, or the reason why there is none. */
async function ask<T>(
  settings: StateCacheSettings,
  question: (cache: Cache) => Promise<T>,
): Promise<{ readonly value?: T; readonly reason?: string | undefined }> {
  if (!hasCache()) return { reason: 'there is no Actions cache here' };
  const cache = await import('@actions/cache');
  if (!cache.isFeatureAvailable()) return { reason: 'there is no Actions cache here' };
  const limit = AbortSignal.timeout(settings.timeLimit);
  const stop = settings.signal === undefined ? limit : AbortSignal.any([limit, settings.signal]);
  const { result, said } = listenTo(() => question(cache));
  const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
  const onStop = (): void => resolve(undefined);
  stop.addEventListener('abort', onStop);
  if (stop.aborted) onStop();
  // The toolkit cannot be stopped. Anything it still does ends in a folder that is no longer read.
  result.catch(() => undefined);
  const value = await Promise.race([result, stopped]);
  stop.removeEventListener('abort', onStop);
  for (const line of said) settings.reporter.detail(line);
  if (value === undefined && settings.signal?.aborted === true) return { reason: 'the run was stopped' };
  if (value === undefined && limit.aborted) {
    const last = reasonIn(said);
    const why = last === undefined ? '' : ` (${last})`;
    return { reason: `the cache did not answer within ${formatDuration(settings.timeLimit)}${why}` };
  }
  return value === undefined ? { reason: reasonIn(said) } : { value, reason: reasonIn(said) };
}

/** Copies a restored state to its place. */
async function move(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(path.resolve(to)), { recursive: true });
  // SQLite would apply an old journal to the new file.
  await rm(`${to}${JOURNAL}`, { force: true });
  await copyFile(from, to);
}

/** Returns the size of a regular file; 0 if there is none. */
async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true ? found.size : 0;
}
