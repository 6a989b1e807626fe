import { mkdirSync, readdirSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseTreePath } from '../../src/config/tree-path.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { estimateSpace, requireRoom } from '../../src/pack/fetch/space.ts';
import type { ComponentPlan } from '../../src/pack/plan/plan.ts';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import { FileServer } from '../support/file-server.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const EXBIBYTE = 2 ** 60;

describe('estimateSpace', () => {
  const signal = new AbortController().signal;
  const BLOBS = [
    { digest: digestOf(Buffer.from('one')), size: 1000 },
    { digest: digestOf(Buffer.from('other')), size: 500 },
  ];
  let server: FileServer;
  let http: HttpClient;

  beforeEach(async () => {
    server = await FileServer.start();
    http = new HttpClient();
  });
  afterEach(async () => {
    http.close();
    await server[Symbol.asyncDispose]();
  });

  function component(path: string): ComponentPlan {
    return {
      name: 'tool',
      tag: parseTag('1'),
      url: new URL(path, server.origin),
      fileName: 'tool-1-amd64',
      check: { kind: 'none' },
      placement: { kind: 'file', path: parseTreePath('bin/tool', 'test'), executable: true },
      place: { file: 'versions.json', line: 1, column: 1 },
    };
  }

  function put(file: string, size: number): void {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    truncateSync(file, size);
  }

  it.each<[string, Record<string, number>, string, object]>([
    [
      'of nothing that is there',
      {},
      '/tool',
      { images: 1500, components: 200, package: 1734, isWhole: true },
    ],
    [
      'less what is there whole',
      { 'blobs/0': 1000, 'downloads/tool-1-amd64': 200 },
      '/tool',
      { images: 500, components: 0, package: 1734, isWhole: true },
    ],
    [
      'less what a cut left',
      { 'blobs/0.part': 900, 'downloads/tool-1-amd64.part': 150 },
      '/tool',
      { images: 600, components: 50, package: 1734, isWhole: true },
    ],
    [
      'and all of what has another size',
      { 'blobs/0': 999, 'downloads/tool-1-amd64': 201 },
      '/tool',
      { images: 1500, components: 200, package: 1734, isWhole: true },
    ],
    [
      'without a component of which the server tells no size',
      {},
      '/gone',
      { images: 1500, components: 0, package: 1530, isWhole: false },
    ],
  ])('is the sum %s', async (_, there, path, expected) => {
    const folder = scratchFolder();
    for (const [file, size] of Object.entries(there)) put(join(folder, file), size);
    server.put('/tool', Buffer.alloc(200));
    const index = (digest: Digest): number => BLOBS.findIndex((blob) => blob.digest === digest);
    const wanted = {
      // An image shares blobs with others.
      blobs: [...BLOBS, ...BLOBS],
      blobFiles: (digest: Digest) => join(folder, `blobs/${index(digest)}`),
      components: [component(path)],
      downloads: join(folder, 'downloads'),
    };
    expect(await estimateSpace(wanted, http, signal)).toEqual(expected);
  });

  it('ends with the reason of the run', async () => {
    const reason = new Error('stopped');
    const wanted = { blobs: [], blobFiles: () => '', components: [component('/tool')], downloads: '/' };
    await expect(estimateSpace(wanted, http, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe('requireRoom', () => {
  it('is silent where there is enough, also for a folder that is not there yet', async () => {
    const folder = scratchFolder();
    const within = join(folder, 'a', 'b');
    const estimate = { images: 1000, components: 1000, package: 1000 };
    await requireRoom(estimate, { images: within, downloads: within, output: folder });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says where, how much is needed and how much is free', async () => {
    const folder = scratchFolder();
    const folders = { images: folder, downloads: folder, output: folder };
    const estimate = { images: 0, components: 0, package: EXBIBYTE };
    await expect(requireRoom(estimate, folders)).rejects.toMatchObject({
      code: 'DISK_TOO_SMALL',
      about: folder,
      message: expect.stringMatching(
        /^this file system needs 1048576 TiB .*for the package in .* but has [\d.]+ \w+ free$/,
      ),
    });
  });

  it('adds up needs on one file system', async () => {
    const folder = scratchFolder();
    const folders = { images: folder, downloads: folder, output: join(folder, 'out') };
    const { bavail, bsize } = statfsSync(folder);
    const most = Math.floor(bavail * bsize * 0.7);
    await requireRoom({ images: most, components: 0, package: 0 }, folders);
    await expect(requireRoom({ images: most, components: 0, package: most }, folders)).rejects.toMatchObject({
      code: 'DISK_TOO_SMALL',
      message: expect.stringMatching(/for the images in .*for the package in /),
    });
  });
});
