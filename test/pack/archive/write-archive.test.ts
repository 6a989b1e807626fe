import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashQetagBlock, QETAG_BLOCK_SIZE, qetagOfBlocks } from '../../../src/lib/qetag.ts';
import { type ArchiveEntry, bytesEntry, type FileEntry } from '../../../src/pack/archive/entry.ts';
import { tarSize } from '../../../src/pack/archive/tar-header.ts';
import { orderEntries } from '../../../src/pack/archive/tree.ts';
import { writeArchive } from '../../../src/pack/archive/write-archive.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { has, readArchive, run } from './archive-reader.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function streamed(path: string, size: number, pieces: readonly Uint8Array[]): FileEntry {
  async function* open(): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }
  return { kind: 'file', path, mode: 0o644, size, content: { kind: 'stream', open: async () => open() } };
}

function filed(path: string, source: string, mode = 0o755): FileEntry {
  return { kind: 'file', path, mode, size: statSync(source).size, content: { kind: 'file', path: source } };
}

/** Entries of every kind: programs, compressed and random data, text, long and foreign names. */
function mixedEntries(folder: string): ArchiveEntry[] {
  const program = readFileSync(process.execPath).subarray(0, 7 * MIB + 123);
  writeFileSync(join(folder, 'program'), program);
  writeFileSync(join(folder, 'layer'), gzipSync(program));
  const text = 'Kubernetes without a network. '.repeat(5000);
  return [
    filed('bin/program', join(folder, 'program')),
    filed('images/layer', join(folder, 'layer'), 0o644),
    {
      ...filed('slice', join(folder, 'program')),
      size: 3 * MIB,
      content: { kind: 'file', path: join(folder, 'program'), start: 1000 },
    },
    streamed('stream', 2 * MIB + 1, [Buffer.alloc(MIB, 'ab'), Buffer.alloc(0), Buffer.alloc(MIB + 1, 'c')]),
    bytesEntry('random', randomFrom(2 * MIB + 77)),
    bytesEntry('text', text),
    bytesEntry('empty', ''),
    bytesEntry(`${'deep/'.repeat(30)}name`, 'a name over both fields of ustar'),
    bytesEntry(`${'n'.repeat(200)}`, 'a name that only pax can hold'),
    bytesEntry('größe/日本.txt', 'a name that is not ASCII'),
    { kind: 'directory', path: 'nothing', mode: 0o700 },
    { kind: 'symlink', path: 'bin/link', target: '../images/layer' },
    { kind: 'symlink', path: 'long-link', target: `${'n'.repeat(200)}` },
  ];
}

/** The same bytes each time, without any pattern. */
function randomFrom(size: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_none, index) =>
    createHash('sha256').update(String(index)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
}

function qetagOf(bytes: Buffer): string {
  const count = Math.ceil(bytes.length / QETAG_BLOCK_SIZE);
  const blocks = Array.from({ length: count }, (_none, index) =>
    bytes.subarray(index * QETAG_BLOCK_SIZE, (index + 1) * QETAG_BLOCK_SIZE),
  );
  return qetagOfBlocks(blocks.map(hashQetagBlock));
}

async function write(
  entries: readonly ArchiveEntry[],
  output: string,
  options: Partial<Parameters<typeof writeArchive>[0]> = {},
): ReturnType<typeof writeArchive> {
  return writeArchive({ entries, output, signal: never, ...options });
}

test('an archive tells its size and sums, and how far it is', async () => {
  const folder = scratchFolder();
  const output = join(folder, 'a.tar.gz');
  const entries = mixedEntries(folder);
  const steps: [number, number][] = [];
  const written = await write(entries, output, { onProgress: (...step) => steps.push(step) });
  const bytes = readFileSync(output);
  const tar = gunzipSync(bytes);
  expect(written).toEqual({
    size: bytes.length,
    sha256: sha256(bytes),
    tarSha256: sha256(tar),
    qetag: qetagOf(bytes),
  });
  expect(steps.at(-1)).toEqual([tar.length, tar.length]);
  expect(tarSize(orderEntries(entries))).toBe(tar.length);
});

test.each([1, 2, 7])('its bytes are the same with %d blocks under way', async (concurrency) => {
  const folder = scratchFolder();
  const entries = mixedEntries(folder);
  const one = await write(entries, join(folder, 'one.tar.gz'), { concurrency: 4 });
  const other = await write(entries.toReversed(), join(folder, 'other.tar.gz'), { concurrency });
  expect(other).toEqual(one);
});

describe('every reader gets what was put in', () => {
  test('Node and tar-stream', async () => {
    const folder = scratchFolder();
    const entries = mixedEntries(folder);
    await write(entries, join(folder, 'a.tar.gz'));
    const read = await readArchive(join(folder, 'a.tar.gz'));
    expect(read.map(({ header }) => header.name.replace(/\/$/, ''))).toEqual(
      orderEntries(entries).map((entry) => entry.path),
    );
    for (const { header } of read) {
      expect(header).toMatchObject({ uid: 0, gid: 0, mtime: new Date('1980-01-01T00:00:00Z') });
    }
  });

  const extractors: [string, (archive: string, into: string) => void][] = [
    ['tar', (archive, into) => run('tar', '-xzpf', archive, '-C', into)],
    [
      'python3',
      (archive, into) =>
        run(
          'python3',
          '-c',
          'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])',
          archive,
          into,
        ),
    ],
  ];
  test.skipIf(!has('tar')).for(extractors)('%s', async ([program, extractWith], context) => {
    if (!has(program)) context.skip();
    const folder = scratchFolder();
    const into = join(folder, 'out');
    await mkdir(into);
    const entries = mixedEntries(folder);
    await write(entries, join(folder, 'a.tar.gz'));
    extractWith(join(folder, 'a.tar.gz'), into);
    await expectExtracted(entries, into);
  });

  test.skipIf(!has('busybox'))('busybox, as far as it knows names', async () => {
    const folder = scratchFolder();
    const into = join(folder, 'out');
    await mkdir(into);
    // busybox does not read pax headers, so names have to fit ustar's fields.
    const entries = mixedEntries(folder).filter(({ path }) => !/^(n|long|gr)/.test(path));
    await write(entries, join(folder, 'a.tar.gz'));
    run('busybox', 'tar', '-xzf', join(folder, 'a.tar.gz'), '-C', into);
    await expectExtracted(entries, into);
  });

  test.skipIf(!has('gzip') || !has('pigz'))('gzip and pigz find no fault, and tar lists it', async () => {
    const folder = scratchFolder();
    const output = join(folder, 'a.tar.gz');
    await write(mixedEntries(folder), output);
    run('gzip', '-t', output);
    run('pigz', '-t', output);
    expect(run('tar', '-tvzf', output)).toContain(
      '-rwxr-xr-x 0/0         7340155 1980-01-01 00:00 bin/program',
    );
  });
});

async function contentOf(entry: FileEntry): Promise<Buffer> {
  const { content } = entry;
  if (content.kind === 'bytes') return Buffer.from(content.bytes);
  if (content.kind === 'file') {
    const start = content.start ?? 0;
    return readFileSync(content.path).subarray(start, start + entry.size);
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of await content.open(never)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function expectExtracted(entries: readonly ArchiveEntry[], into: string): Promise<void> {
  const wanted = orderEntries(entries).map((entry) => entry.path);
  expect(readdirSync(into, { recursive: true }).map(String).sort()).toEqual(wanted.toSorted());
  for (const entry of entries) {
    const path = join(into, entry.path);
    if (entry.kind === 'symlink') expect(readlinkSync(path)).toBe(entry.target);
    else expect(lstatSync(path).mode & 0o777).toBe(entry.mode);
    if (entry.kind === 'file') expect(readFileSync(path).equals(await contentOf(entry))).toBe(true);
  }
}

describe('what is compressed already', () => {
  async function sizeOf(content: Buffer): Promise<number> {
    return (await write([bytesEntry('content', content)], join(scratchFolder(), 'a.tar.gz'))).size;
  }

  test('is stored, also without a magic number', async () => {
    const random = randomFrom(4 * MIB);
    const size = await sizeOf(random);
    expect(size).toBeGreaterThan(random.length);
    expect(size).toBeLessThan(random.length * 1.0005);
  });

  test('is not believed to be when only its first bytes say so', async () => {
    const zeros = Buffer.alloc(4 * MIB);
    Buffer.from([0x1f, 0x8b, 8]).copy(zeros);
    expect(await sizeOf(zeros)).toBeLessThan(8 * 1024);
  });

  test('is not taken for it when dense content repeats', async () => {
    const repeating = Buffer.concat(Array.from({ length: 256 }, () => randomFrom(16 * 1024)));
    expect(await sizeOf(repeating)).toBeLessThan(128 * 1024);
  });
});

test('names and contents of any size come back', async () => {
  const folder = scratchFolder();
  const name = fc.stringMatching(/^[a-zé日 ._-]{1,60}[a-z](\/[a-zé]{1,80}){0,3}$/);
  const size = fc.oneof(
    fc.integer({ min: 0, max: 2000 }),
    fc.constantFrom(511, 512, 65_535, 65_536, MIB - 512, MIB, MIB + 1),
  );
  const entry = fc.tuple(name, size, fc.boolean());
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(entry, { maxLength: 6, selector: ([path]) => path }), async (drawn) => {
      const entries = drawn
        .filter(([path]) => !drawn.some(([other]) => other.startsWith(`${path}/`)))
        .map(([path, length, isRandom]) =>
          bytesEntry(path, isRandom ? randomBytes(length) : Buffer.alloc(length, path)),
        );
      const output = join(folder, 'a.tar.gz');
      const written = await write(entries, output, { level: 1 });
      const read = await readArchive(output);
      const files = read.filter(({ header }) => header.type === 'file');
      expect(new Map(files.map(({ header, content }) => [header.name, sha256(content)]))).toEqual(
        new Map(
          await Promise.all(entries.map(async (one) => [one.path, sha256(await contentOf(one))] as const)),
        ),
      );
      expect(written.tarSha256).toBe(sha256(gunzipSync(readFileSync(output))));
    }),
    { numRuns: 25 },
  );
});

describe('a failure leaves nothing behind', () => {
  const wrongSizes: [string, (folder: string) => FileEntry, RegExp][] = [
    ['a stream that ends early', () => streamed('one', 5 * MIB, [Buffer.alloc(3 * MIB)]), /only 3145728/],
    ['a stream that goes on', () => streamed('one', 5, [Buffer.alloc(3), Buffer.alloc(3)]), /more/],
    ['an empty entry with content', () => streamed('one', 0, [Buffer.alloc(1)]), /more/],
    ['bytes', () => ({ ...bytesEntry('one', 'abc'), size: 4 }), /has 3/],
    ['a file', (folder) => ({ ...filed('one', sized(folder, 10)), size: 11 }), /has 10/],
    [
      'a slice beyond the end',
      (folder) => ({
        ...filed('one', sized(folder, 10)),
        content: { kind: 'file', path: sized(folder, 10), start: 4 },
      }),
      /only 6/,
    ],
  ];
  test.each(wrongSizes)('%s of another size than announced', async (_name, entry, told) => {
    const folder = scratchFolder();
    await mkdir(join(folder, 'out'));
    const act = write(
      [bytesEntry('first', Buffer.alloc(9 * MIB)), entry(folder)],
      join(folder, 'out', 'a.tar.gz'),
    );
    await expect(act).rejects.toMatchObject({
      code: 'CONTENT_SIZE_MISMATCH',
      about: 'archive entry "one"',
      message: expect.stringMatching(told),
    });
    expect(readdirSync(join(folder, 'out'))).toEqual([]);
  });

  test('an abort in the middle, which also ends the source', async () => {
    const folder = scratchFolder();
    const stop = new AbortController();
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (let piece = 0; ; piece += 1) {
          if (piece === 20) stop.abort(new Error('stopped'));
          yield Buffer.alloc(MIB, String(piece));
        }
      } finally {
        ended = true;
      }
    }
    const entry: FileEntry = {
      kind: 'file',
      path: 'endless',
      mode: 0o644,
      size: 1000 * MIB,
      content: { kind: 'stream', open: async () => endless() },
    };
    await expect(write([entry], join(folder, 'a.tar.gz'), { signal: stop.signal })).rejects.toThrow(
      'stopped',
    );
    expect(ended).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a source that fails, while an older archive stays as it is', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'a.tar.gz'), 'older');
    const entry: FileEntry = {
      ...bytesEntry('x', 'abc'),
      content: { kind: 'stream', open: () => Promise.reject(new Error('connection lost')) },
    };
    await expect(write([entry], join(folder, 'a.tar.gz'))).rejects.toThrow('connection lost');
    expect(readdirSync(folder)).toEqual(['a.tar.gz']);
    expect(readFileSync(join(folder, 'a.tar.gz'), 'utf8')).toBe('older');
  });

  test('an entry that is refused', async () => {
    const folder = scratchFolder();
    await expect(write([bytesEntry('../x', '')], join(folder, 'a'))).rejects.toMatchObject({
      code: 'ENTRY_UNUSABLE',
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** A file system of 4 MiB, as only a user namespace gives it; where namespaces are forbidden the test is left out. */
const SMALL_DISK = 'mount -t tmpfs -o size=4m tmpfs "$1"';
const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', SMALL_DISK, 'sh', tmpdir()]).status === 0;

test.skipIf(!canMount)('a full disk is told as such, and what was written is removed', () => {
  const folder = scratchFolder();
  const writer = fileURLToPath(new URL('./full-disk-writer.ts', import.meta.url));
  const script = `${SMALL_DISK} && "$2" "$3" "$1"; ls -A "$1"`;
  const said = run('unshare', '-rm', 'sh', '-c', script, 'sh', folder, process.execPath, writer);
  expect(said).toBe(
    `DISK_FULL ${join(folder, 'a.tar.gz')}: the disk became full while packer wrote the archive\n`,
  );
});

function sized(folder: string, size: number): string {
  const path = join(folder, `file-${size}`);
  writeFileSync(path, Buffer.alloc(size, 1));
  return path;
}

test.skipIf(!has('tar'))(
  'an archive beyond 4 GiB reads back',
  async () => {
    const folder = scratchFolder();
    const size = 4 * 1024 * MIB + 12_345;
    const sparse = join(folder, 'sparse');
    writeFileSync(sparse, '');
    truncateSync(sparse, size);
    const output = join(folder, 'a.tar.gz');
    await write([filed('sparse', sparse), bytesEntry('z', 'the last one')], output, { level: 1 });
    // tar runs gzip, which checks the sum and the length beyond 32 bits, and fails with it.
    expect(run('tar', '-tvzf', output)).toMatch(
      new RegExp(`${size} 1980-01-01 00:00 sparse\\n.* 12 1980-01-01 00:00 z\\n$`),
    );
  },
  900_000,
);
