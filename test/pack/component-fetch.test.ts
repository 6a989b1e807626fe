import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseTreePath } from '../../src/config/tree-path.ts';
import { milliseconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import type { Reporter } from '../../src/lib/reporter.ts';
import { ComponentCache, type FileKeeper } from '../../src/pack/fetch/component-cache.ts';
import { fetchComponents } from '../../src/pack/fetch/component-fetch.ts';
import type { ComponentCheck, ComponentPlan } from '../../src/pack/plan/plan.ts';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import { FileServer } from '../support/file-server.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { LOOPBACK } from '../support/test-authority.ts';

type ComponentFetch = Parameters<typeof fetchComponents>[1];

const CONTENT = Buffer.from('a program');
const DIGEST = digestOf(CONTENT);
const KEY = `keel-component-sha256-${digestHex(DIGEST)}`;

let folder: string;
let server: FileServer;
let http: HttpClient;
let warnings: string[];

beforeEach(async () => {
  folder = scratchFolder();
  server = await FileServer.start();
  http = new HttpClient();
  warnings = [];
});

afterEach(async () => {
  http.close();
  await server[Symbol.asyncDispose]();
});

function settings(changes: Partial<ComponentFetch> = {}): ComponentFetch {
  return {
    http,
    retry: { attempts: 2, interval: milliseconds(1) },
    sizeLimit: 1_000_000,
    signal: new AbortController().signal,
    folder,
    concurrency: 4,
    ...changes,
  };
}

function plan(name: string, check: (url: URL) => ComponentCheck): ComponentPlan {
  const url = new URL(`/${name}`, server.origin);
  return {
    name,
    tag: parseTag('1.0.0'),
    url,
    fileName: `${name}-1.0.0-amd64`,
    check: check(url),
    placement: { kind: 'file', path: parseTreePath(`kubernetes/bin/${name}`, name), executable: true },
    place: { file: 'versions.json', line: 1, column: 1 },
  };
}

function beside(url: URL): ComponentCheck {
  const fileName = url.pathname.slice(1);
  return {
    kind: 'published',
    sources: ['.sha256', '.sha256sum', '.sums'].map((suffix) => ({
      url: new URL(`${url.href}${suffix}`),
      fileName,
    })),
  };
}

const reporter: Reporter = {
  section: () => undefined,
  line: () => undefined,
  detail: () => undefined,
  warning: (text) => void warnings.push(text),
  error: () => undefined,
  progress: () => undefined,
  close: () => undefined,
};

/** What @actions/tool-cache is on a runner: files by key, in a folder that outlives runs. */
function keeper(): FileKeeper & { readonly folder: string } {
  const kept = scratchFolder();
  return {
    folder: kept,
    find: async (key) => ((await readdir(kept)).includes(key) ? join(kept, key) : undefined),
    save: async (key, file) => copyFile(file, join(kept, key)),
  };
}

describe('fetchComponents', () => {
  it('checks each in its way, and tells how, in the order of the plan', async () => {
    for (const name of ['published', 'pinned', 'unchecked']) server.put(`/${name}`, CONTENT);
    server.put('/published.sha256sum', `${digestHex(DIGEST)}  published\n`);
    const fetched = await fetchComponents(
      [
        plan('published', beside),
        plan('pinned', () => ({ kind: 'pin', digest: DIGEST })),
        plan('unchecked', () => ({ kind: 'none' })),
      ],
      settings({ concurrency: 1 }),
    );
    expect(fetched.map(({ plan: { name }, check, sha256, from }) => ({ name, check, sha256, from }))).toEqual(
      [
        {
          name: 'published',
          check: { kind: 'published', digest: DIGEST, source: `${server.origin}/published.sha256sum` },
          sha256: DIGEST,
          from: 'network',
        },
        { name: 'pinned', check: { kind: 'pin', digest: DIGEST }, sha256: DIGEST, from: 'network' },
        { name: 'unchecked', check: { kind: 'none' }, sha256: DIGEST, from: 'network' },
      ],
    );
    expect((await readdir(folder)).sort()).toEqual([
      'pinned-1.0.0-amd64',
      'published-1.0.0-amd64',
      'unchecked-1.0.0-amd64',
    ]);
  });

  it('refuses what has no checksum anywhere, before it fetches it', async () => {
    server.put('/tool', CONTENT);
    await expect(fetchComponents([plan('tool', beside)], settings())).rejects.toMatchObject({
      code: 'CHECKSUM_MISSING',
      about: 'tool 1.0.0',
      hint: 'check the tag; else pin it with "sha256", or set "sha256": "none" to accept it unverified',
    });
    expect(server.requestsFor('/tool')).toHaveLength(0);
  });

  it('refuses a checksum file that does not speak of the download', async () => {
    server.put('/tool', CONTENT);
    server.put('/tool.sha256', '<html>welcome</html>');
    await expect(fetchComponents([plan('tool', beside)], settings())).rejects.toMatchObject({
      code: 'CHECKSUM_UNUSABLE',
      about: 'tool 1.0.0',
      message: expect.stringContaining(`${server.origin}/tool.sha256: `),
    });
  });

  it('tries again for a checksum that could not be had at once', async () => {
    server.put('/tool', CONTENT);
    server.put('/tool.sha256', digestHex(DIGEST), { kind: 'status', status: 503 });
    const [fetched] = await fetchComponents([plan('tool', beside)], settings());
    expect(fetched?.sha256).toBe(DIGEST);
  });

  it('fetches the others although some fail, and tells all failures together', async () => {
    for (const name of ['good', 'bad', 'gone']) server.put(`/${name}`, CONTENT);
    server.put('/gone', '', { kind: 'status', status: 404 });
    const wrong = digestOf(Buffer.from('else'));
    const running = fetchComponents(
      [
        plan('bad', () => ({ kind: 'pin', digest: wrong })),
        plan('gone', () => ({ kind: 'pin', digest: DIGEST })),
        plan('good', () => ({ kind: 'pin', digest: DIGEST })),
      ],
      settings(),
    );
    await expect(running).rejects.toMatchObject({
      code: 'COMPONENTS_FAILED',
      message: [
        '2 of 3 could not be fetched',
        `  bad 1.0.0: bad-1.0.0-amd64 from ${server.origin}/bad: expected ${wrong}, got ${DIGEST}; the file was deleted (try again; if this happens again, the server, a proxy or the checksum is wrong, and you must not use the file)`,
        `  gone 1.0.0: ${server.origin}/gone: answered with status 404 (check the tag and the architecture; not every release has every file)`,
      ].join('\n'),
    });
    expect(await readdir(folder)).toEqual(['good-1.0.0-amd64']);
  });

  it('tells one cause of several failures once', async () => {
    const nowhere = new URL('http://127.0.0.1:1/');
    const plans = ['one', 'other'].map((name) => {
      return { ...plan(name, () => ({ kind: 'pin', digest: DIGEST })), url: new URL(name, nowhere) };
    });
    await expect(fetchComponents(plans, settings())).rejects.toMatchObject({
      code: 'COMPONENTS_FAILED',
      message: expect.stringMatching(
        /^2 of 2 could not be fetched\n {2}all 2 components: 127\.0\.0\.1:1: [^\n]*$/,
      ),
    });
  });

  it('tells of a host that breaks off for which component it was asked', async () => {
    const nowhere = new URL('http://127.0.0.1:1/');
    const pin = () => ({ kind: 'pin', digest: DIGEST }) as const;
    server.put('/good', CONTENT);
    const lost = { ...plan('lost', pin), url: new URL('lost', nowhere) };
    const expected = {
      code: 'UNREACHABLE',
      about: 'lost 1.0.0',
      message: '127.0.0.1:1: the connection was refused',
    };
    await expect(fetchComponents([lost], settings())).rejects.toMatchObject(expected);
    await expect(fetchComponents([plan('good', pin), lost], settings())).rejects.toMatchObject(expected);
  });

  it('keeps what was checked for the next run, under a key that holds its digest', async () => {
    server.put('/tool', CONTENT);
    const tools = keeper();
    const cache = new ComponentCache(tools, reporter);
    const plans = [plan('tool', () => ({ kind: 'pin', digest: DIGEST }))];
    await fetchComponents(plans, settings({ cache }));
    expect(await readdir(tools.folder)).toEqual([KEY]);
    const [again] = await fetchComponents(plans, settings({ cache, folder: scratchFolder() }));
    expect(again).toMatchObject({ from: 'cache', sha256: DIGEST, size: CONTENT.length });
    expect(await readFile(again?.file ?? '')).toEqual(CONTENT);
    expect(server.requestsFor('/tool')).toHaveLength(1);
  });

  it('keeps nothing that nothing checked', async () => {
    server.put('/tool', CONTENT);
    const tools = keeper();
    const cache = new ComponentCache(tools, reporter);
    await fetchComponents([plan('tool', () => ({ kind: 'none' }))], settings({ cache }));
    expect(await readdir(tools.folder)).toEqual([]);
  });

  it('never has more downloads under way than it may', async () => {
    let underWay = 0;
    let most = 0;
    const plans = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => plan(name, () => ({ kind: 'none' })));
    for (const { name } of plans) server.put(`/${name}`, Buffer.alloc(100_000));
    const started = new Set<string>();
    await fetchComponents(
      plans,
      settings({
        concurrency: 2,
        onProgress: (name) => {
          if (started.has(name)) return;
          started.add(name);
          underWay += 1;
          most = Math.max(most, underWay);
        },
        onFetched: () => {
          underWay -= 1;
        },
      }),
    );
    expect(most).toBeLessThanOrEqual(2);
  });
});

describe('a digest that GitHub tells', () => {
  const ANSWER = '/repos/org/tool/releases/tags/v1';
  const released = (): ComponentCheck => ({
    kind: 'published',
    sources: [{ url: new URL(`https://api.github.com${ANSWER}`), fileName: 'tool.yaml', form: 'release' }],
  });
  let github: FileServer;
  let stranger: FileServer;
  let proxy: ForwardProxy;

  beforeEach(async () => {
    http.close();
    // Whose certificate it has is not what this is about.
    http = new HttpClient({ unverified: ['api.github.com', 'elsewhere.test'] });
    github = await FileServer.start(LOOPBACK);
    stranger = await FileServer.start(LOOPBACK);
    proxy = await ForwardProxy.start({
      'api.github.com:443': github.origin,
      'elsewhere.test:443': stranger.origin,
    });
    for (const name of ['https_proxy', 'http_proxy', 'no_proxy', 'HTTP_PROXY', 'ALL_PROXY'])
      vi.stubEnv(name, '');
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    server.put('/tool', CONTENT);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const each of [github, stranger, proxy]) await each[Symbol.asyncDispose]();
  });

  const answer = JSON.stringify({ assets: [{ name: 'tool.yaml', digest: DIGEST }] });

  it.each([
    [undefined, undefined],
    ['hush', 'Bearer hush'],
  ])('is asked for with the token %s, which the server of the file does not get', async (token, sent) => {
    github.put(ANSWER, answer);
    const [fetched] = await fetchComponents([plan('tool', released)], settings({ githubToken: token }));
    const source = `https://api.github.com${ANSWER}`;
    expect(fetched?.check).toEqual({ kind: 'published', digest: DIGEST, source });
    expect(github.requestsFor(ANSWER).map(({ headers }) => headers.authorization)).toEqual([sent]);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(server.seen.map(() => undefined));
  });

  it('is asked for without the token where GitHub leads to another host', async () => {
    github.put(ANSWER, '', { kind: 'redirect', to: 'https://elsewhere.test/answer' });
    stranger.put('/answer', answer);
    await fetchComponents([plan('tool', released)], settings({ githubToken: 'hush' }));
    expect(stranger.requestsFor('/answer').map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('is told as such where GitHub was asked too often, with what to do', async () => {
    github.put(ANSWER, '', { kind: 'status', status: 403 });
    await expect(fetchComponents([plan('tool', released)], settings())).rejects.toMatchObject({
      code: 'DENIED',
      hint: expect.stringContaining('KEEL_GITHUB_TOKEN'),
    });
  });
});
