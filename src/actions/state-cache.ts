import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Duration, formatDuration } from '../lib/duration.ts';
import { describeFailure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import { formatSize } from '../lib/text/size.ts';
import type { SyncSettings } from '../sync/settings.ts';
import { FORMAT_VERSION } from '../sync/state/schema.ts';
import { routeHash } from '../sync/state/state-artifact.ts';
import { listenTo, reasonIn } from './toolkit-output.ts';

/** Under which names a run finds and leaves its state. */
interface StateKeys {
  /** Never used twice, because a cache entry cannot be changed. */
  readonly key: string;
  /** Of keys that will do, the best first. */
  readonly prefixes: readonly string[];
}

/** How the cache is talked to. */
interface StateCacheSettings {
  readonly reporter: Reporter;
  /** Longest wait for the cache; a state that comes later is not used. */
  readonly timeLimit: Duration;
  readonly signal?: AbortSignal;
}

// The cache hashes its path list into each entry, and packs relative paths below the workspace: a fixed relative folder
// is found again whatever --db says and wherever a runner keeps its workspace.
const FOLDER = '.keel-sync-state';
const FILE = path.join(FOLDER, 'state.db');
/** SQLite needs its rollback journal to heal a file whose writer was killed. */
const JOURNAL = '-journal';
const CONSEQUENCE = 'this run asks the destination what is there';

/** Returns the cache keys of a run's state: format, where from and where to, shard, run and attempt. */
export function stateKeys(
  settings: Pick<SyncSettings, 'source' | 'destination' | 'namespace' | 'shard'>,
  run: { readonly id: string; readonly attempt: string },
): StateKeys {
  const { shard } = settings;
  const family = `keel-sync-v${FORMAT_VERSION}-${routeHash(settings)}-`;
  const own = `${family}${shard?.index ?? 1}of${shard?.count ?? 1}-`;
  // Another shard's state knows images that this one may get after the number of shards was changed.
  return { key: `${own}${run.id}-${run.attempt}`, prefixes: [own, family] };
}

/**
 * Puts the newest state of this route from the Actions cache at `file` and tells whether it did. A file that is there
 * already is used as it is. Never throws: without a state, a run costs requests.
 */
export async function restoreState(
  file: string,
  { key, prefixes }: StateKeys,
  settings: StateCacheSettings,
): Promise<boolean> {
  const { reporter } = settings;
  try {
    if ((await sizeOf(file)) > 0) {
      reporter.line(`state: ${file} is there already, so the cache was not asked`);
      return true;
    }
    await rm(FOLDER, { recursive: true, force: true });
    const { value, reason } = await ask(settings, (cache) =>
      cache.restoreCache([FOLDER], key, [...prefixes]),
    );
    if (value === undefined) {
      const missing = reason === undefined ? 'none in the cache yet' : `not restored, ${reason}`;
      reporter.line(`state: ${missing}; ${CONSEQUENCE}`);
      return false;
    }
    const size = await move(FILE, file);
    reporter.line(`state: restored from the cache, ${formatSize(size)} (${value})`);
    return true;
  } catch (error) {
    reporter.line(`state: not restored, ${describeFailure(error)}; ${CONSEQUENCE}`);
    return false;
  } finally {
    await rm(FOLDER, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Saves the state at `file` in the Actions cache under a key of its own and tells whether it did. Never throws: the next
 * run then goes on from an older state.
 */
export async function saveState(file: string, key: string, settings: StateCacheSettings): Promise<boolean> {
  const { reporter } = settings;
  try {
    const size = await sizeOf(file);
    if (size === 0) {
      reporter.line('state: there is none to save');
      return false;
    }
    await rm(FOLDER, { recursive: true, force: true });
    await mkdir(FOLDER);
    await copyFile(file, FILE);
    if ((await sizeOf(`${file}${JOURNAL}`)) > 0) await copyFile(`${file}${JOURNAL}`, `${FILE}${JOURNAL}`);
    const { value = -1, reason } = await ask(settings, (cache) => cache.saveCache([FOLDER], key));
    if (value < 0) {
      reporter.line(
        `state: not saved, ${reason ?? 'the cache did not take it'}; the next run uses an older one`,
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

/** Returns whether the runner named a cache, new or old, without loading the toolkit, which takes its time. */
function hasCache(): boolean {
  const { ACTIONS_RESULTS_URL = '', ACTIONS_CACHE_URL = '' } = process.env;
  return ACTIONS_RESULTS_URL !== '' || ACTIONS_CACHE_URL !== '';
}

/** Asks the cache, within the time limit; gives its answer, or the reason why there is none. */
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
  // The toolkit cannot be stopped. What it does later ends in a folder that nobody reads any more.
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

/** Copies a restored state with its journal; gives its size. */
async function move(from: string, to: string): Promise<number> {
  const size = await sizeOf(from);
  if (size === 0) throw new Error('the cache entry holds no state');
  await mkdir(path.dirname(path.resolve(to)), { recursive: true });
  // A journal without its file would be played into the new one.
  await rm(`${to}${JOURNAL}`, { force: true });
  await copyFile(from, to);
  if ((await sizeOf(`${from}${JOURNAL}`)) > 0) await copyFile(`${from}${JOURNAL}`, `${to}${JOURNAL}`);
  return size;
}

/** Returns the size of a regular file, 0 where there is none. */
async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true ? found.size : 0;
}
