import { readdir, writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { QiniuTarget } from '../../src/publish/qiniu/qiniu-target.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { Gateway } from '../support/gateway.ts';
import type { Fault } from '../support/kodo/faults.ts';
import { Kodo, type KodoSettings } from '../support/kodo/kodo.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { HOSTS, LOOPBACK } from '../support/test-authority.ts';
import { PackageFixture } from './package-fixture.ts';

const MIB = 1024 * 1024;
const NAME = 'kube-1.36.2-amd64.tar.gz';
const BETA = 'kube-1.36.2-amd64-beta.tar.gz';
const calm = new AbortController().signal;

type QiniuTargetSettings = ConstructorParameters<typeof QiniuTarget>[0];

function targetFor(kodo: Kodo, more: Partial<QiniuTargetSettings> = {}): QiniuTarget {
  return new QiniuTarget({
    ...kodo.account,
    bucket: 'keel',
    zone: undefined,
    endpoint: new URL(kodo.url),
    overwrite: false,
    retry: { attempts: 3, interval: milliseconds(1) },
    timeouts: { connect: milliseconds(5000), firstByte: milliseconds(5000), idle: milliseconds(5000) },
    ...more,
  });
}

async function publish(target: QiniuTarget, fixture: PackageFixture, signal = calm) {
  const progress: number[] = [];
  const location = await target.publish(fixture.file, signal, (bytes) => progress.push(bytes));
  return { location, progress };
}

function checkOf({ file: { name, sha256 } }: PackageFixture): string {
  return `echo '${sha256.slice('sha256:'.length)}  ${name}' | sha256sum -c -`;
}

describe('publishing to Qiniu', () => {
  it('sends parts of 4 MiB, several at a time, and says where the package is', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, 21 * MIB + 5);
    const { location, progress } = await publish(targetFor(kodo), fixture);
    expect(location).toEqual({
      target: 'qiniu',
      outcome: 'published',
      address: `http://${kodo.host}/${NAME}`,
      instruction: expect.stringContaining(
        `curl -fLo ${NAME} http://${kodo.host}/${NAME} && ${checkOf(fixture)}  # over plain HTTP`,
      ),
    });
    expect((await kodo.content('keel', NAME)).equals(fixture.content)).toBe(true);
    expect(kodo.object('keel', NAME)).toMatchObject({
      hash: fixture.file.qetag,
      mimeType: 'application/gzip',
    });
    expect(progress).toHaveLength(6);
    expect(progress.at(-1)).toBe(fixture.file.size);
    const parts = kodo.requests('part');
    expect(new Set(parts.map((part) => part.port)).size).toBeGreaterThan(1);
    expect(parts.map((part) => part.part).toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await readdir(fixture.folder)).toEqual([NAME]);
  });

  it('takes an empty package', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, 0);
    await publish(targetFor(kodo), fixture);
    expect(kodo.object('keel', NAME)).toMatchObject({ size: 0, hash: 'Fto5o-5ea0sNMlW_75VgGJCv2AcJ' });
  });

  it('sends nothing when the bucket has this content', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, 5 * MIB);
    await publish(targetFor(kodo), fixture);
    kodo.journal.length = 0;
    const { location } = await publish(targetFor(kodo), fixture);
    expect(location.outcome).toBe('present');
    expect(kodo.journal.map((entry) => entry.operation)).toEqual(['query', 'stat', 'domains']);
  });

  it.each([
    { name: BETA, overwrite: false, replaced: true },
    { name: NAME, overwrite: true, replaced: true },
    { name: NAME, overwrite: false, replaced: false },
  ])('with other content under $name and overwrite $overwrite, replaces it: $replaced', async (row) => {
    await using kodo = await Kodo.start();
    await using first = await PackageFixture.write(row.name, 1000);
    await using second = await PackageFixture.write(row.name, 2000);
    await publish(targetFor(kodo), first);
    kodo.journal.length = 0;
    const repeated = publish(targetFor(kodo, { overwrite: row.overwrite }), second);
    if (row.replaced) expect((await repeated).location.outcome).toBe('published');
    else {
      await expect(repeated).rejects.toMatchObject({ code: 'ALREADY_PUBLISHED', about: row.name });
      expect(kodo.requests('init')).toEqual([]);
    }
    const expected = row.replaced ? second : first;
    expect((await kodo.content('keel', row.name)).equals(expected.content)).toBe(true);
  });

  it('loses a race for a name without replacing what won it', async () => {
    await using kodo = await Kodo.start();
    await using mine = await PackageFixture.write(NAME, 9 * MIB);
    await using theirs = await PackageFixture.write(NAME, 1000);
    kodo.faults.add({ operation: 'stat', answer: { status: 612, error: 'no such file or directory' } });
    await publish(targetFor(kodo), theirs);
    kodo.faults.add({ operation: 'stat', answer: { status: 612, error: 'no such file or directory' } });
    await expect(publish(targetFor(kodo), mine)).rejects.toMatchObject({ code: 'ALREADY_PUBLISHED' });
    expect(kodo.journal.map(({ status }) => status)).toContain(614);
    expect((await kodo.content('keel', NAME)).equals(theirs.content)).toBe(true);
  });
});

describe('publishing to Qiniu in bad weather', () => {
  const faults: [string, Fault][] = [
    ['the region query fails', { operation: 'query', answer: { status: 502 } }],
    ['a stat fails', { operation: 'stat', answer: { status: 503 }, times: 2 }],
    ['opening fails', { operation: 'init', answer: { status: 599 } }],
    ['a part fails', { operation: 'part', part: 2, answer: { status: 503 }, times: 2 }],
    ['it asks for less', { operation: 'part', answer: { status: 573 }, times: 2 }],
    ['a connection is cut in the middle of a part', { operation: 'part', part: 3, cutAfter: MIB, times: 2 }],
    ['the answer to a part is lost', { operation: 'part', part: 1, loseAnswer: true }],
    ['a part arrives damaged', { operation: 'part', part: 2, wrongEtag: true }],
    ['the upload expires under way', { operation: 'part', part: 2, answer: { status: 612 } }],
    ['the answer to the completion is lost', { operation: 'complete', loseAnswer: true }],
    ['completion fails', { operation: 'complete', answer: { status: 500 } }],
    ['the domains are not told', { operation: 'domains', answer: { status: 400 } }],
  ];
  it.each(faults)('gets there when %s', async (_name, fault) => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, 13 * MIB);
    kodo.faults.add(fault);
    const { location } = await publish(targetFor(kodo), fixture);
    expect(location.outcome).toBe('published');
    expect((await kodo.content('keel', NAME)).equals(fixture.content)).toBe(true);
    expect(await readdir(fixture.folder)).toEqual([NAME]);
  });

  it('asks once for the domains of a bucket that has none', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    kodo.faults.add({ operation: 'domains', isNull: true, times: 10 });
    const { location } = await publish(targetFor(kodo), fixture);
    expect(location.outcome).toBe('published');
    expect(kodo.requests('domains')).toHaveLength(1);
  });

  it('gives up on a host that takes parts and never answers, after its time limit', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, 9 * MIB);
    kodo.faults.add({ operation: 'part', part: 2, silent: true });
    const timeouts = { connect: milliseconds(2000), firstByte: milliseconds(2000), idle: milliseconds(2000) };
    await publish(targetFor(kodo, { timeouts }), fixture);
    expect(kodo.requests('part').filter((entry) => entry.part === 2).length).toBeGreaterThan(1);
    expect(kodo.object('keel', NAME)).toMatchObject({ hash: fixture.file.qetag });
  });

  it('goes on from where a run stopped, whatever the pages of the listing', async () => {
    await using kodo = await Kodo.start({ partsPerPage: 2 });
    await using fixture = await PackageFixture.write(NAME, 21 * MIB);
    kodo.faults.add({ operation: 'part', part: 5, answer: { status: 400, error: 'planned' } });
    const serial = { parallel: { start: 1 } };
    await expect(publish(targetFor(kodo, serial), fixture)).rejects.toMatchObject({
      code: 'SERVICE_REFUSED',
    });
    expect(kodo.object('keel', NAME)).toBeUndefined();
    expect(await readdir(fixture.folder)).toEqual([NAME, `${NAME}.keel.upload.json`]);
    kodo.journal.length = 0;
    await publish(targetFor(kodo, serial), fixture);
    expect(kodo.requests('init')).toEqual([]);
    expect(kodo.requests('part').map((entry) => entry.part)).toEqual([5, 6]);
    expect(kodo.object('keel', NAME)).toMatchObject({ hash: fixture.file.qetag });
    expect(await readdir(fixture.folder)).toEqual([NAME]);
  });

  it('stops at once when the run is aborted, and goes on from there', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, 13 * MIB);
    const controller = new AbortController();
    const serial = { parallel: { start: 1 } };
    kodo.faults.add({ operation: 'part', part: 3, silent: true });
    const target = targetFor(kodo, serial);
    const aborted = target.publish(fixture.file, controller.signal, (bytes) => {
      if (bytes === 8 * MIB) setImmediate(() => controller.abort(new Error('enough')));
    });
    await expect(aborted).rejects.toThrow('enough');
    kodo.faults.clear();
    kodo.journal.length = 0;
    await publish(targetFor(kodo, serial), fixture);
    expect(kodo.requests('part').map((entry) => entry.part)).toEqual([3, 4]);
  });

  it('begins anew when the upload of an earlier run expired, or was of other content', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, 9 * MIB);
    kodo.faults.add({ operation: 'complete', answer: { status: 400 } });
    await expect(publish(targetFor(kodo), fixture)).rejects.toThrow('refused');
    kodo.uploads.expireAll();
    kodo.journal.length = 0;
    await publish(targetFor(kodo), fixture);
    expect(kodo.requests('list-parts').map((entry) => entry.status)).toEqual([612]);
    expect(kodo.requests('part')).toHaveLength(3);
  });

  it('never makes an object of a file that changed since it was hashed', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, 9 * MIB);
    fixture.content.writeUInt8(fixture.content.readUInt8(MIB) ^ 1, MIB);
    await writeFile(fixture.file.path, fixture.content);
    await expect(publish(targetFor(kodo), fixture)).rejects.toMatchObject({
      code: 'FILE_CHANGED',
      message: 'the file changed during publishing',
    });
    expect(kodo.object('keel', NAME)).toBeUndefined();
    expect(kodo.uploads.count).toBe(0);
  });

  it('tells an answer that is not from Kodo, such as the page of a proxy', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    kodo.faults.add({ operation: 'init', answer: { status: 200, error: 'Welcome' }, times: 3 });
    const expected = { code: 'ANSWER_MALFORMED', about: 'Qiniu', hint: expect.stringContaining('proxy') };
    await expect(publish(targetFor(kodo), fixture)).rejects.toMatchObject(expected);
  });

  it('gives up on a part that arrives damaged at every attempt', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    kodo.faults.add({ operation: 'part', part: 1, wrongEtag: true, times: 3 });
    await expect(publish(targetFor(kodo), fixture)).rejects.toMatchObject({
      code: 'PART_DAMAGED',
      about: NAME,
      message: expect.stringContaining('arrived with different content in each of'),
    });
    expect(kodo.requests('part')).toHaveLength(3);
    expect(kodo.object('keel', NAME)).toBeUndefined();
  });

  it('compares the hash of the whole package with the one that Kodo stored', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    kodo.faults.add({ operation: 'complete', wrongEtag: true });
    await expect(publish(targetFor(kodo), fixture)).rejects.toMatchObject({
      code: 'HASH_MISMATCH',
      about: NAME,
      message: expect.stringContaining('Kodo stored it with the hash'),
    });
  });

  it('gives up on an upload that is forgotten again and again', async () => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    kodo.faults.add({ operation: 'part', answer: { status: 612 }, times: 10 });
    await expect(publish(targetFor(kodo), fixture)).rejects.toMatchObject({
      code: 'UPLOAD_EXPIRED',
      message: expect.stringContaining('Kodo lost the upload'),
    });
    expect(kodo.requests('init')).toHaveLength(3);
  });
});

describe('proving a Qiniu target', () => {
  it('leaves neither object nor open upload', async () => {
    await using kodo = await Kodo.start();
    await targetFor(kodo).prove(calm);
    expect(kodo.journal.map((entry) => entry.operation)).toEqual(['query', 'stat', 'init', 'abort']);
    expect(kodo.uploads.count).toBe(0);
    expect(kodo.buckets.get('keel')?.objects.size).toBe(0);
  });

  const hint = (text: string) => expect.stringContaining(text);
  it.each<[string, KodoSettings, Partial<QiniuTargetSettings>, object]>([
    ['access key', {}, { accessKey: 'nobody' }, { code: 'CREDENTIALS_REFUSED', hint: hint('--access-key') }],
    ['secret key', {}, { secretKey: 'wrong' }, { code: 'CREDENTIALS_REFUSED', hint: hint('--secret-key') }],
    [
      'bucket',
      {},
      { bucket: 'absent' },
      { code: 'BUCKET_ABSENT', about: 'bucket absent', hint: hint('--bucket') },
    ],
    ['zone', { buckets: { keel: 'z2' } }, {}, { code: 'WRONG_ZONE', hint: hint('z2') }],
    [
      'clock',
      { now: () => Date.now() + 3 * 3600_000 },
      {},
      { code: 'CREDENTIALS_REFUSED', hint: hint('clock') },
    ],
  ])('tells a wrong %s', async (_name, settings, more, expected) => {
    await using kodo = await Kodo.start(settings);
    await expect(targetFor(kodo, more).prove(calm)).rejects.toMatchObject(expected);
  });

  it('tells a region service that cannot be reached, without waiting long', async () => {
    const kodo = await Kodo.start();
    const target = targetFor(kodo);
    await kodo[Symbol.asyncDispose]();
    const failure = await target.prove(calm).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'UNREACHABLE', hint: hint('check the port') });
    expect(inspect(failure, { depth: 9 })).not.toContain(kodo.account.accessKey);
  });
});

it('tells of a host that nobody named which bucket it serves', async () => {
  await using kodo = await Kodo.start();
  const gone = await Kodo.start();
  const { host } = gone;
  kodo.advertise(host);
  await gone[Symbol.asyncDispose]();
  await expect(targetFor(kodo).prove(calm)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    about: host,
    message: 'the connection was refused; it serves bucket keel',
  });
});

describe('finding the zone of a bucket', () => {
  const asQiniu = { endpoint: undefined, retry: { attempts: 1, interval: milliseconds(1) } };
  const trust = { unverified: ['uc.qbox.me', 'up.test'] };
  const services = ['uc.qiniuapi.com', 'kodo-config.qiniuapi.com', 'uc.qbox.me'];

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  async function behindProxy(routes: Readonly<Record<string, string>>): Promise<ForwardProxy> {
    const proxy = await ForwardProxy.start(routes, 403);
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    vi.stubEnv('https_proxy', '');
    return proxy;
  }

  it('asks each service of Qiniu until one answers, through the proxy', async () => {
    await using kodo = await Kodo.start();
    await using gateway = await Gateway.open(kodo.url, HOSTS);
    kodo.advertise('up.test');
    await using proxy = await behindProxy({ 'uc.qbox.me:443': gateway.url, 'up.test:443': gateway.url });
    await targetFor(kodo, { ...asQiniu, trust }).prove(calm);
    expect(proxy.asked).toEqual([...services, 'up.test'].map((host) => `CONNECT ${host}:443`));
  });

  it('ends where none answers, with the failure of the first', async () => {
    await using kodo = await Kodo.start();
    await using proxy = await behindProxy({});
    await expect(targetFor(kodo, { ...asQiniu, trust }).prove(calm)).rejects.toMatchObject({
      code: 'PROXY_REFUSED',
      about: services[0],
      message: expect.stringContaining('cannot find the zone of bucket keel'),
    });
    expect(proxy.asked).toHaveLength(services.length);
  });
});

describe('the address of a package', () => {
  it.each<[name: string, domains: (tls: string, plain: string) => string[], expected: string]>([
    ['a domain that serves it over TLS', (tls) => [tls], 'https'],
    ['a domain over plain HTTP alone', (_, plain) => [plain], 'http'],
    ['one of each', (tls, plain) => [plain, tls], 'https'],
    ['one that stands for many, and one', (_, plain) => ['.cdn.example', plain], 'http'],
    ['what would be another command of a shell', (tls) => ['$(reboot).example', 'a;b.example', tls], 'https'],
    ['none', () => [], 'qiniu'],
    ['inner services of a cloud alone', () => ['169.254.169.254', 'metadata.google.internal'], 'qiniu'],
  ])('of a bucket with %s', async (_name, domains, expected) => {
    await using kodo = await Kodo.start();
    await using gateway = await Gateway.open(kodo.url, LOOPBACK);
    await using fixture = await PackageFixture.write(NAME, 1000);
    kodo.bind(...domains(gateway.host, kodo.host));
    const { location } = await publish(targetFor(kodo), fixture);
    const host = { https: gateway.host, http: kodo.host, qiniu: 'keel' }[expected];
    expect(location.address).toBe(`${expected}://${host}/${NAME}`);
    expect(location.instruction).toContain(checkOf(fixture));
  });

  it('is one over plain HTTP where the certificate is not for that domain', async () => {
    await using kodo = await Kodo.start();
    await using gateway = await Gateway.open(kodo.url, HOSTS);
    await using fixture = await PackageFixture.write(NAME, 1000);
    kodo.bind(gateway.host);
    const { location } = await publish(targetFor(kodo), fixture);
    expect(location.address).toBe(`http://${gateway.host}/${NAME}`);
    expect(gateway.journal.count()).toBe(0);
  });
});

it.each(['168.63.129.16', 'metadata.google.internal', '[64:ff9b::a9fe:a9fe]'])(
  'asks no host inside a cloud that a region names: %s',
  async (host) => {
    await using kodo = await Kodo.start();
    await using fixture = await PackageFixture.write(NAME, 1000);
    kodo.advertise(host);
    await expect(publish(targetFor(kodo), fixture)).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(kodo.journal.map(({ operation }) => operation)).toEqual(['query']);
  },
);

it.each(['stat', 'init', 'part'] as const)('follows no redirect (%s)', async (operation) => {
  await using kodo = await Kodo.start();
  await using stranger = await startRegistry();
  await using fixture = await PackageFixture.write(NAME, 5 * MIB);
  const answer = { status: 307, headers: { location: `${stranger.url}/` } };
  kodo.faults.add({ operation, times: 99, answer });
  await expect(publish(targetFor(kodo), fixture)).rejects.toMatchObject({
    message: expect.stringContaining('status 307'),
  });
  expect(stranger.journal.count()).toBe(0);
});

it('repeats no token that Qiniu repeats in a refusal', async () => {
  await using kodo = await Kodo.start();
  await using fixture = await PackageFixture.write(NAME, 1000);
  const { accessKey } = kodo.account;
  const error = `bad token ${accessKey}:c2lnbmF0dXJl-_=:cG9saWN5, and once more: UpToken ${accessKey}:abc=`;
  kodo.faults.add({ operation: 'init', times: 9, answer: { status: 400, error } });
  await expect(publish(targetFor(kodo), fixture)).rejects.toMatchObject({
    message: expect.stringContaining(`bad token ${accessKey}:***, and once more: UpToken ${accessKey}:***`),
  });
});
