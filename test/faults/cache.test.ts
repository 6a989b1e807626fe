import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { restoreState, saveState } from '../../src/actions/state-cache.ts';
import { milliseconds, seconds } from '../../src/lib/duration.ts';
import { Listener } from '../publish/listener.ts';
import { ActionsService } from '../support/actions-service/service.ts';
import { Gateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/registry/content.ts';
import type { Fault } from '../support/registry/faults.ts';
import { type JournalEntry, matches, type RequestMatch } from '../support/registry/journal.ts';
import { type Cause, causeOf, faultOf, PACKING_CAUSES, type Traits } from './causes.ts';

/** One kind of request of a cache. */
interface CacheStep extends Traits {
  readonly name: string;
  readonly saves: boolean;
  readonly match: RequestMatch;
}

function blob(method: string): RequestMatch {
  return { path: /^\/account\//, when: (entry) => entry.method === method };
}

const answers = { answers: true, sends: true, follows: false };
const STEPS: readonly CacheStep[] = [
  { name: 'lookup', saves: false, match: { path: /GetCacheEntryDownloadURL/ }, ...answers },
  { name: 'download', saves: false, match: blob('GET'), answers: true, sends: false, follows: true },
  { name: 'reservation', saves: true, match: { path: /CreateCacheEntry/ }, ...answers },
  { name: 'upload', saves: true, match: blob('PUT'), answers: false, sends: true, follows: false },
  { name: 'commit', saves: true, match: { path: /FinalizeCacheEntryUpload/ }, ...answers },
];
const SAVED = generatedBytes('state', 30_000);
const KEY = 'keel-sync-v1-key-';
/** What the toolkit waits between its attempts is this much shorter here; test/actions waits for it in full. */
const HASTE = 300;
/** How long a run that is about to be stopped waits for a cache that hangs. */
const UNTIL_STOP = milliseconds(200);
/** The toolkit reads all of it, five times. */
const HUGE: Fault = { kind: 'huge-json', bytes: 2_000_000 };

/** Whether the toolkit would wait for minutes or, for the rest of a broken answer, for ever. */
function hangs({ waits, fault }: Cause): boolean {
  return waits === true || fault.kind === 'reset-answer' || fault.kind === 'truncate';
}

vi.setConfig({ testTimeout: 180_000 });

describe('a cache', () => {
  const home = process.cwd();
  const wait = setTimeout;
  let service: ActionsService;
  let folder: string;
  let count = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keel-cache-'));
    process.chdir(folder);
    vi.stubEnv('GITHUB_WORKSPACE', folder);
    vi.stubEnv('RUNNER_TEMP', folder);
    vi.stubGlobal('setTimeout', (work: () => void, delay = 0) => wait(work, delay / HASTE));
    // The toolkit writes commands that a runner of these tests would obey.
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    service = await ActionsService.start();
    await throughGateway(async () => {
      writeFileSync('state.db', SAVED);
      expect(await saveState('state.db', `${KEY}first`, listen().settings)).toBe(true);
    });
  });
  afterAll(async () => {
    process.chdir(home);
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
    await service[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  async function throughGateway(work: (gateway: Gateway) => Promise<void>): Promise<void> {
    const { origin } = service;
    await using gateway = await Gateway.open(origin);
    service.advertise(gateway.url);
    try {
      for (const [name, value] of Object.entries(service.environment())) vi.stubEnv(name, value);
      await work(gateway);
    } finally {
      service.advertise(origin);
    }
  }

  function listen() {
    const reporter = new Listener();
    const stop = new AbortController();
    const retry = { attempts: 4, interval: milliseconds(5) };
    return { reporter, stop, settings: { reporter, retry, timeLimit: seconds(120), signal: stop.signal } };
  }

  /** Returns what a run of another machine finds under a key. */
  async function find(key: string): Promise<Buffer | undefined> {
    rmSync('other.db', { force: true });
    const { settings } = listen();
    await throughGateway(async () => {
      await restoreState('other.db', { family: KEY, key, prefixes: [] }, settings);
    });
    return existsSync('other.db') ? readFileSync('other.db') : undefined;
  }

  async function tryCell(step: CacheStep, cause: Cause): Promise<void> {
    count += 1;
    const key = `${KEY}${count}`;
    const file = `state-${count}.db`;
    const { reporter, stop, settings } = listen();
    const content = generatedBytes(key, 20_000);
    if (step.saves) writeFileSync(file, content);
    let isDone = false;
    await throughGateway(async (gateway) => {
      const fault = cause.fault.kind === 'huge-json' ? HUGE : faultOf(cause, 'http://127.0.0.1:9');
      const when = (entry: JournalEntry): boolean => {
        const isHit = matches(step.match, entry);
        if (isHit && hangs(cause)) wait(() => stop.abort(new Error('stopped')), UNTIL_STOP);
        return isHit;
      };
      const rule = gateway.fail({ match: { when }, times: Number.POSITIVE_INFINITY, fault });
      isDone = step.saves
        ? await saveState(file, key, settings)
        : await restoreState(file, { family: KEY, key: `${KEY}first`, prefixes: [] }, settings);
      expect(rule.hits).toBeGreaterThan(0);
    });
    expect(reporter.lines).toEqual([expect.stringMatching(/^state: \S/)]);
    expect([...reporter.warnings, ...reporter.errors]).toEqual([]);
    expect(readdirSync('.').filter((name) => name.startsWith('.keel'))).toEqual([]);
    if (step.saves) {
      const found = await find(key);
      // The answer to a commit may be lost: then it is there although nobody knows.
      if (isDone || found !== undefined) expect(found).toEqual(content);
    } else {
      expect(existsSync(file)).toBe(isDone);
      if (isDone) expect(readFileSync(file)).toEqual(SAVED);
    }
  }

  const causes = (step: CacheStep) => PACKING_CAUSES.filter(({ suits }) => suits?.(step) ?? true);
  const cells = STEPS.flatMap((step) => causes(step).map(({ name }) => ({ step: step.name, name })));

  it.each(cells)('costs a line when its $step meets: $name', async ({ step, name }) => {
    const found = STEPS.find((candidate) => candidate.name === step);
    if (found !== undefined) await tryCell(found, causeOf(name, PACKING_CAUSES));
  });

  it('gives the state of before when all that is over', async () => {
    expect(await find(`${KEY}first`)).toEqual(SAVED);
  });

  it('gives nothing of an archive that was cut, wherever that was', async () => {
    const [entry] = service.caches;
    const whole = entry?.blob.bytes ?? Buffer.alloc(0);
    for (const length of [0, 1, 4, 100, Math.floor(whole.length / 2), whole.length - 5, whole.length - 1]) {
      if (entry !== undefined) entry.blob.bytes = whole.subarray(0, length);
      expect(await find(`${KEY}first`), `cut at ${length} of ${whole.length}`).toBeUndefined();
    }
    if (entry !== undefined) entry.blob.bytes = whole;
    expect(await find(`${KEY}first`)).toEqual(SAVED);
  });
});
