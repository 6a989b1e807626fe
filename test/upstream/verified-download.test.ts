import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Duration, milliseconds, seconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import { type DownloadSettings, download } from '../../src/upstream/fetch/verified-download.ts';
import { FileServer, originOf } from '../support/file-server.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

type DownloadRequest = Parameters<typeof download>[0];

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
const DIGEST = digestOf(CONTENT);

let folder: string;
let server: FileServer;
let http: HttpClient;

beforeEach(async () => {
  folder = scratchFolder();
  server = await FileServer.start();
  http = client();
});

afterEach(async () => {
  http.close();
  await server[Symbol.asyncDispose]();
});

function client(idle: Duration = seconds(5)): HttpClient {
  return new HttpClient({ timeouts: { connect: seconds(5), firstByte: idle, idle } });
}

function settings(changes: Partial<DownloadSettings> = {}): DownloadSettings {
  return {
    http,
    retry: { attempts: 4, interval: milliseconds(1) },
    sizeLimit: 10_000_000,
    signal: new AbortController().signal,
    ...changes,
  };
}

function request(url: URL, expected: Digest | undefined = DIGEST): DownloadRequest {
  return { url, file: join(folder, 'tool'), expected };
}

/** A request that is cut whenever it has as many bytes as a held answer sends. */
function cutRequest(url: URL, ...cuts: number[]): DownloadRequest {
  return {
    ...request(url),
    onProgress: (done) => {
      if (cuts.includes(done)) server.breakHeld();
    },
  };
}

function rangesFor(path: string): (string | undefined)[] {
  return server.requestsFor(path).map(({ headers }) => headers.range);
}

async function expectWhole(): Promise<void> {
  expect(await readdir(folder)).toEqual(['tool']);
  expect((await readFile(join(folder, 'tool'))).equals(CONTENT)).toBe(true);
}

describe('download', () => {
  it('gives a file its name when it is whole and right', async () => {
    const steps: number[] = [];
    const url = server.put('/tool', CONTENT);
    const result = await download({ ...request(url), onProgress: (done) => steps.push(done) }, settings());
    expect(result).toEqual({
      file: join(folder, 'tool'),
      size: CONTENT.length,
      sha256: DIGEST,
      wasThere: false,
    });
    expect(steps.at(-1)).toBe(CONTENT.length);
    expect(steps).toEqual(steps.toSorted((one, other) => one - other));
    await expectWhole();
  });

  it('compares with sha512 and still tells sha256', async () => {
    const url = server.put('/tool', CONTENT);
    const result = await download(request(url, digestOf(CONTENT, 'sha512')), settings());
    expect(result.sha256).toBe(DIGEST);
  });

  it('takes a file that is there already, and fetches a wrong one again', async () => {
    const url = server.put('/tool', CONTENT);
    await writeFile(join(folder, 'tool'), 'something else');
    expect((await download(request(url), settings())).wasThere).toBe(false);
    expect((await download(request(url), settings())).wasThere).toBe(true);
    expect(server.requestsFor('/tool')).toHaveLength(1);
  });

  it('goes on where it was cut, again and again', async () => {
    const url = server.put(
      '/tool',
      CONTENT,
      { kind: 'hold', after: 100_000 },
      { kind: 'hold', after: 100_000 },
    );
    await download(cutRequest(url, 100_000, 200_000), settings());
    const ranges = rangesFor('/tool');
    expect(ranges).toEqual([undefined, 'bytes=100000-', 'bytes=200000-']);
    await expectWhole();
  });

  it('goes on from what an earlier run left', async () => {
    const url = server.put('/tool', CONTENT, { kind: 'hold', after: 100_000 });
    const once = settings({ retry: { attempts: 1, interval: milliseconds(1) } });
    await expect(download(cutRequest(url, 100_000), once)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect((await readdir(folder)).sort()).toEqual(['tool.part', 'tool.part.json']);
    await download(request(url), settings());
    expect(rangesFor('/tool')[1]).toBe('bytes=100000-');
    await expectWhole();
  });

  it.each([401, 403, 404])('keeps what is there where the rest is refused with %i', async (status) => {
    const url = server.put('/tool', CONTENT, { kind: 'hold', after: 100_000 }, { kind: 'status', status });
    const once = settings({ retry: { attempts: 1, interval: milliseconds(1) } });
    await expect(download(cutRequest(url, 100_000), once)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(download(request(url), settings())).rejects.toMatchObject({ status });
    await download(request(url), settings());
    expect(rangesFor('/tool')).toEqual([undefined, 'bytes=100000-', 'bytes=100000-']);
    await expectWhole();
  });

  it('starts over when the file changed in between', async () => {
    const url = server.put('/tool', Buffer.alloc(200_000), { kind: 'hold', after: 100_000 });
    const once = settings({ retry: { attempts: 1, interval: milliseconds(1) } });
    await expect(download(cutRequest(url, 100_000), once)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    server.put('/tool', CONTENT);
    await download(request(url), settings());
    expect(server.requestsFor('/tool')).toHaveLength(2);
    await expectWhole();
  });

  it('begins anew at a server that compresses, whose part would be one of what it compressed', async () => {
    const coded = deflateRawSync(CONTENT, { level: 0 });
    const ranges: (string | undefined)[] = [];
    const compressing = createServer((asked, answer) => {
      ranges.push(asked.headers.range);
      const start = Number(/^bytes=(\d+)-/.exec(asked.headers.range ?? '')?.[1] ?? 0);
      const part = { 'content-range': `bytes ${start}-${coded.length - 1}/${coded.length}` };
      answer.writeHead(start === 0 ? 200 : 206, {
        etag: '"one"',
        'content-encoding': 'deflate',
        'content-length': coded.length - start,
        ...(start === 0 ? {} : part),
      });
      if (ranges.length > 1) answer.end(coded.subarray(start));
      else answer.write(coded.subarray(0, 200_000));
    });
    await new Promise<void>((resolve) => compressing.listen(0, '127.0.0.1', resolve));
    try {
      const onProgress = (done: number): void => {
        if (ranges.length === 1 && done > 100_000) compressing.closeAllConnections();
      };
      const url = new URL('/tool', originOf(compressing));
      const result = await download({ ...request(url), expected: undefined, onProgress }, settings());
      expect(result.sha256).toBe(DIGEST);
      expect(ranges.at(-1)).toBeUndefined();
      await expectWhole();
    } finally {
      compressing.closeAllConnections();
      compressing.close();
    }
  });

  it.each(['whole', 'wrong-range'] as const)(
    'mends a cut at a server that answers a range with: %s',
    async (kind) => {
      const url = server.put('/tool', CONTENT, { kind: 'hold', after: 100_000 }, { kind });
      await download(cutRequest(url, 100_000), settings());
      await expectWhole();
    },
  );

  it('starts over where the server gives nothing to compare by', async () => {
    const url = server.put('/tool', CONTENT, { kind: 'hold', after: 100_000 });
    server.hideValidator('/tool');
    await download(cutRequest(url, 100_000), settings());
    expect(rangesFor('/tool')).toEqual([undefined, undefined]);
    await expectWhole();
  });

  it.each([
    ['part of another address', { url: 'http://127.0.0.1:1/other', validator: '"x"' }],
    ['part with a note that is no JSON', 'garbage'],
  ])('ignores a %s', async (_, note) => {
    await writeFile(join(folder, 'tool.part'), 'x'.repeat(100));
    await writeFile(join(folder, 'tool.part.json'), typeof note === 'string' ? note : JSON.stringify(note));
    await download(request(server.put('/tool', CONTENT)), settings());
    expect(rangesFor('/tool')).toEqual([undefined]);
    await expectWhole();
  });

  it('fetches everything again when the part of an earlier run was wrong', async () => {
    const url = server.put('/tool', CONTENT, { kind: 'hold', after: 100_000 });
    const once = settings({ retry: { attempts: 1, interval: milliseconds(1) } });
    await expect(download(cutRequest(url, 100_000), once)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    const part = await readFile(join(folder, 'tool.part'));
    await writeFile(join(folder, 'tool.part'), part.fill(0, 0, 10));
    await download(request(url), settings());
    expect(rangesFor('/tool').at(-1)).toBeUndefined();
    await expectWhole();
  });

  it('takes a part that is whole already, after asking', async () => {
    const url = server.put('/tool', CONTENT, { kind: 'hold', after: 100_000 });
    const once = settings({ retry: { attempts: 1, interval: milliseconds(1) } });
    await expect(download(cutRequest(url, 100_000), once)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await writeFile(join(folder, 'tool.part'), CONTENT);
    await download(request(url), settings());
    expect(server.requestsFor('/tool')).toHaveLength(2);
    await expectWhole();
  });

  it('says what it expected and what it got after a second try, and leaves nothing', async () => {
    const url = server.put('/tool', 'not what it should be');
    const got = digestOf(Buffer.from('not what it should be'));
    await expect(download(request(url), settings())).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      about: `tool from ${url.href}`,
      message: `expected ${DIGEST}, got ${got}; the file was deleted`,
    });
    expect(await readdir(folder)).toEqual([]);
    expect(server.requestsFor('/tool')).toHaveLength(2);
  });

  it.each([500, 502, 503, 504, 429, 408])('tries again after status %i', async (status) => {
    const url = server.put('/tool', CONTENT, { kind: 'status', status, headers: { 'retry-after': '0' } });
    await download(request(url), settings());
    await expectWhole();
  });

  it('keeps the pause that a server asks for', async () => {
    const headers = { 'retry-after': '1' };
    const url = server.put('/tool', CONTENT, { kind: 'status', status: 503, headers });
    const started = Date.now();
    await download(request(url), settings());
    expect(Date.now() - started).toBeGreaterThan(900);
  });

  it('does not wait for ever when a server asks for it', async () => {
    const headers = { 'retry-after': '3600' };
    const url = server.put('/tool', CONTENT, { kind: 'status', status: 429, headers });
    await expect(download(request(url), settings())).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });

  it.each([
    [404, 'NOT_FOUND'],
    [403, 'DENIED'],
    [400, 'SERVER_REFUSED'],
  ])('does not try again after status %i', async (status, code) => {
    const url = server.put('/tool', CONTENT, { kind: 'status', status });
    await expect(download(request(url), settings())).rejects.toMatchObject({ code, about: url.href });
    expect(server.requestsFor('/tool')).toHaveLength(1);
  });

  it('follows redirects and sends no credential anywhere', async () => {
    await using other = await FileServer.start();
    const target = other.put('/real?token=secret', CONTENT);
    const url = server.put('/tool', '', { kind: 'redirect', to: target.href });
    await download(request(url), settings());
    for (const { headers } of [...server.seen, ...other.seen]) {
      expect(Object.keys(headers)).not.toContain('authorization');
      expect(Object.keys(headers)).not.toContain('cookie');
    }
    await expectWhole();
  });

  it.each(['ftp://127.0.0.1/tool', 'file:///etc/passwd', 'http://['])(
    'does not follow a redirect to %s',
    async (to) => {
      const url = server.put('/tool', '', { kind: 'redirect', to });
      await expect(download(request(url), settings())).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    },
  );

  it('gives up on a redirect to itself', async () => {
    const faults = Array.from({ length: 20 }, () => ({ kind: 'redirect' as const, to: '/tool' }));
    await expect(download(request(server.put('/tool', '', ...faults)), settings())).rejects.toMatchObject({
      code: 'SERVER_BROKEN',
      message: 'it redirects without end',
    });
  });

  it('notices a stall and goes on from there', async () => {
    http = client(milliseconds(2000));
    const url = server.put('/tool', CONTENT, { kind: 'hold', after: 100_000 });
    await download(request(url), settings({ http }));
    expect(rangesFor('/tool')[1]).toBe('bytes=100000-');
    await expectWhole();
  });

  it('ends when the run ends, with its reason', async () => {
    const run = new AbortController();
    const url = server.put('/tool', CONTENT, { kind: 'hold', after: 100 });
    const reason = new Error('stopped');
    const running = download(
      { ...request(url), onProgress: () => run.abort(reason) },
      settings({ signal: run.signal }),
    );
    await expect(running).rejects.toBe(reason);
    expect(await readdir(folder)).not.toContain('tool');
  });

  it.each([[], [{ kind: 'unmeasured' as const }]])(
    'stops at a file that is too large, said so or not',
    async (...faults) => {
      const url = server.put('/tool', CONTENT, ...faults);
      await expect(download(request(url), settings({ sizeLimit: 1000 }))).rejects.toMatchObject({
        code: 'SIZE_MISMATCH',
        message: 'it is larger than 1000 B',
      });
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it('takes a file whose length nobody told', async () => {
    await download(request(server.put('/tool', CONTENT, { kind: 'unmeasured' })), settings());
    await expectWhole();
  });

  it('names the file when its folder cannot be made', async () => {
    await writeFile(join(folder, 'occupied'), '');
    const file = join(folder, 'occupied', 'tool');
    const url = server.put('/tool', CONTENT);
    await expect(download({ url, file, expected: DIGEST }, settings())).rejects.toMatchObject({
      code: 'DISK_REFUSED',
      about: file,
    });
  });

  it('an abort while what is there is hashed ends it with its reason', async () => {
    const wanted = request(server.put('/tool', CONTENT));
    await writeFile(wanted.file, CONTENT);
    const reason = new Error('stopped');
    await expect(download(wanted, settings({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  });

  it('asks the proxy of the environment for hosts elsewhere', async () => {
    const asked: (string | undefined)[] = [];
    const proxy = createServer((incoming, response) => {
      asked.push(incoming.url);
      response.end(CONTENT);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('http_proxy', originOf(proxy));
    try {
      await download(request(new URL('http://files.example.test/tool')), settings());
    } finally {
      vi.unstubAllEnvs();
      proxy.closeAllConnections();
      proxy.close();
    }
    expect(asked).toEqual(['http://files.example.test/tool']);
    await expectWhole();
  });
});
