import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import { openUpload } from '../support/registry/ask.ts';
import { bytesContent, generatedBytes } from '../support/registry/content.ts';
import { htmlError } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage } from '../support/registry/seed.ts';
import { APP, BYTES, LOGIN, pair, SOURCE, stored } from './push-pair.ts';

/** Large enough to be sent in chunks. */
const LARGE = generatedBytes('large', 2 * 1024 * 1024);
const TAG = parseTag('1.0');
const BASIC = { mode: 'basic', users: { [LOGIN.username]: LOGIN.password } } as const;

/** The same address with a mark, which is not redirected again. */
const onward = (url: URL): string => {
  const next = new URL(url);
  next.searchParams.set('moved', 'yes');
  return next.href;
};

describe.each([307, 308])('a write that is redirected with %d is sent again where it leads', (status) => {
  it.each<[string, RequestKind, boolean]>([
    ['the start of an upload', 'upload-start', false],
    ['a streamed layer', 'upload-put', false],
    ['a chunk', 'upload-patch', true],
    ['the end of a layer in chunks', 'upload-put', true],
  ])('%s', async (_name, kind, isChunked) => {
    await using here = await pair({ access: BASIC });
    const { source, sink, push } = here;
    sink.quirks = { refuseMount: 405 };
    source.storage.putBlob(SOURCE, bytesContent(LARGE));
    if (isChunked) sink.fail({ match: { kind: 'upload-put' }, fault: htmlError(413) });
    const struck = sink.fail({
      match: { kind, when: ({ query }) => !query.has('moved') },
      times: Infinity,
      fault: { kind: 'redirect', location: onward, status },
    });
    await push({ descriptor: { digest: digestOf(LARGE), size: LARGE.length } });
    expect(stored(sink, digestOf(LARGE))).toBe(true);
    expect(struck.hits).toBe(1);
  });

  it('a manifest', async () => {
    await using here = await pair({ access: BASIC });
    const { sink, client } = here;
    const image = seedImage(sink.storage, APP);
    sink.fail({
      match: { kind: 'manifest-put', when: ({ query }) => !query.has('moved') },
      fault: { kind: 'redirect', location: onward, status },
    });
    await client.registry.putManifest(APP, TAG, image, client.signal);
    expect(sink.storage.manifest(APP, TAG)?.digest).toBe(image.digest);
  });
});

describe.each([307, 308])('a layer that is redirected with %d while it is sent', (status) => {
  it.each([
    ['to the same host, before it was read', 'same', true],
    ['to the same host, when all of it was there', 'same', false],
    ['to another host, before it was read', 'other', true],
    ['to another host, when all of it was there', 'other', false],
  ] as const)('%s is sent from its first byte, and counted once', async (_name, where, early) => {
    await using other = await startRegistry();
    await using here = await pair({ access: BASIC });
    const { source, sink, push, client } = here;
    const digest = digestOf(LARGE);
    source.storage.putBlob(SOURCE, bytesContent(LARGE));
    const elsewhere = new URL(await openUpload(other, APP), other.url);
    elsewhere.searchParams.set('digest', digest);
    sink.fail({
      match: { kind: 'upload-put', when: ({ query }) => !query.has('moved') },
      fault: { kind: 'redirect', location: where === 'same' ? onward : elsewhere.href, status, early },
    });
    let counted = 0;
    const onBytes = (count: number): void => {
      counted += count;
    };
    expect(await push({ descriptor: { digest, size: LARGE.length }, onBytes })).toBe('uploaded');
    const target = where === 'same' ? sink : other;
    expect(target.storage.blob(APP, digest)).toEqual(bytesContent(LARGE));
    expect(counted).toBe(LARGE.length);
    expect(client.registries.traffic.get(sink.host)?.retried).toBe(0);
    const puts = [...sink.journal.entries, ...other.journal.entries].filter(
      ({ kind }) => kind === 'upload-put',
    );
    expect(puts.map(({ status: answered }) => answered)).toEqual([status, 201]);
    expect(puts.at(-1)?.bytesIn).toBe(LARGE.length);
    expect(puts.map(({ headers }) => headers['content-length'])).toEqual([
      String(LARGE.length),
      String(LARGE.length),
    ]);
    expect(puts.map(({ headers }) => headers.authorization !== undefined)).toEqual([true, where === 'same']);
    expect(target.uploads.open).toBe(0);
  });
});

it('writes that lead to another host arrive there, without the login', async () => {
  await using other = await startRegistry();
  await using here = await pair({ access: BASIC });
  const { sink, push, client } = here;
  const image = seedImage(other.storage, APP);
  sink.fail({
    match: { kind: ['mount', 'upload-start', 'manifest-put'] },
    times: Infinity,
    fault: { kind: 'redirect', location: ({ pathname, search }) => `${other.url}${pathname}${search}` },
  });
  await push();
  await client.registry.putManifest(APP, TAG, image, client.signal);
  expect(other.storage.blob(APP, digestOf(BYTES))).toBeDefined();
  expect(other.storage.manifest(APP, TAG)?.digest).toBe(image.digest);
  expect(other.journal.entries.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
});

it('a host that a redirect leads to and nobody reaches is told with the registry that led there', async () => {
  const other = await startRegistry();
  await other[Symbol.asyncDispose]();
  await using here = await pair();
  const { sink, client } = here;
  sink.fail({
    match: { kind: ['manifest-head', 'manifest-get'] },
    times: Infinity,
    fault: { kind: 'redirect', location: ({ pathname }) => `${other.url}${pathname}` },
  });
  await expect(client.registry.findManifest(APP, TAG, client.signal)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    about: other.host,
    message: `the connection was refused; ${sink.host} redirects to it`,
  });
});

describe.each([301, 302, 303])('a write is not followed at %d, which would lose its content', (status) => {
  it.each<[string, string, string, string]>([
    [
      'to another host',
      'https://mirror.test/v2/?signature=secret',
      'redirects to mirror.test',
      'use the address that the registry redirects to, or configure it to redirect writes with 307 or 308',
    ],
    [
      'to the same host',
      '/elsewhere/v2/?signature=secret',
      'redirects to /elsewhere/v2/ at the same host',
      'configure the registry, or the proxy in front of it, to redirect writes with 307 or 308, or not at all',
    ],
    [
      'to a long path of the same host',
      `/${'x'.repeat(300)}`,
      'redirects to another path at the same host',
      'configure the registry, or the proxy in front of it, to redirect writes with 307 or 308, or not at all',
    ],
  ])('%s', async (_name, location, leads, hint) => {
    await using here = await pair();
    const { sink, client } = here;
    const image = seedImage(sink.storage, APP);
    sink.fail({ match: { kind: 'manifest-put' }, fault: { kind: 'redirect', location, status } });
    await expect(client.registry.putManifest(APP, TAG, image, client.signal)).rejects.toMatchObject({
      code: 'REGISTRY_REFUSED',
      message: `cannot push its manifest, the registry answered ${status} and ${leads}, where the content would not arrive`,
      hint,
    });
    expect(sink.journal.count('manifest-put')).toBe(1);
  });
});
