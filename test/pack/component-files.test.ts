import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { parseTreePath } from '../../src/config/tree-path.ts';
import { componentFiles, type TreeFile } from '../../src/pack/contents/component-files.ts';
import type { FetchedComponent } from '../../src/pack/fetch/component-fetch.ts';
import type { Placement } from '../../src/pack/plan/plan.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const signal = new AbortController().signal;

function component(file: string, placement: Placement): FetchedComponent {
  const bytes = readFileSync(file);
  return {
    plan: {
      name: 'tool',
      tag: parseTag('1.0.0'),
      url: new URL('https://e.org/tool.tar.gz'),
      fileName: 'tool.tar.gz',
      check: { kind: 'none' },
      placement,
      place: { file: 'versions.json', line: 1, column: 1 },
    },
    file,
    size: bytes.length,
    sha256: digestOf(bytes),
    check: { kind: 'none' },
    from: 'network',
  };
}

function unpacked(strip = '', only?: Record<string, string>): Placement {
  const folder = parseTreePath('runtime/containerd/bin', 'test');
  return {
    kind: 'archive',
    folder,
    strip,
    only: only === undefined ? undefined : new Map(Object.entries(only)),
  };
}

/** Writes an archive with the real tar. */
function tarGzip(
  files: Record<string, { content: string | Buffer; mode?: number }>,
  order?: string[],
): string {
  const folder = scratchFolder();
  const tree = join(folder, 'tree');
  for (const [path, { content, mode }] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
    chmodSync(join(tree, path), mode ?? 0o644);
  }
  const file = join(folder, 'tool.tar.gz');
  execFileSync('tar', ['-czf', file, '-C', tree, ...(order ?? ['.'])]);
  return file;
}

/** Writes an archive entry by entry, also with what tar would not write. */
async function strangeArchive(...headers: (Partial<Header> & Pick<Header, 'name'>)[]): Promise<string> {
  const archive = pack();
  for (const header of headers) archive.entry(header, header.type === undefined ? 'content' : '');
  archive.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of archive) if (piece instanceof Uint8Array) pieces.push(piece);
  const file = join(scratchFolder(), 'strange.tar.gz');
  writeFileSync(file, gzipSync(Buffer.concat(pieces)));
  return file;
}

async function contentOf({ entry }: TreeFile): Promise<Buffer> {
  if (entry.content.kind === 'file') return readFileSync(entry.content.path);
  if (entry.content.kind === 'bytes') return Buffer.from(entry.content.bytes);
  const pieces: Uint8Array[] = [];
  for await (const piece of await entry.content.open(signal)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('componentFiles', () => {
  it.each([
    [true, 0o755],
    [false, 0o644],
  ])('gives a download as it is (a program: %s)', async (executable, mode) => {
    const file = join(scratchFolder(), 'kubelet');
    writeFileSync(file, 'a program');
    const path = parseTreePath('kubernetes/bin/kubelet', 'test');
    const [only] = await componentFiles(component(file, { kind: 'file', path, executable }), signal);
    expect(only?.entry).toEqual({ kind: 'file', path, mode, size: 9, content: { kind: 'file', path: file } });
    expect(only?.sha256).toBe(digestOf(Buffer.from('a program')));
  });

  it('gives every file under the part that is left out, with modes of our own', async () => {
    const file = tarGzip({
      'bin/containerd': { content: 'containerd', mode: 0o4777 },
      'bin/ctr': { content: 'ctr', mode: 0o700 },
      'README.md': { content: 'read me' },
      'bin/notes': { content: 'notes', mode: 0o600 },
    });
    const files = await componentFiles(component(file, unpacked('bin/')), signal);
    const seen = files.map(({ entry: { path, mode, size } }) => [path, mode.toString(8), size]);
    expect(seen.sort()).toEqual([
      ['runtime/containerd/bin/containerd', '755', 10],
      ['runtime/containerd/bin/ctr', '755', 3],
      ['runtime/containerd/bin/notes', '644', 5],
    ]);
  });

  it('gives only the files that are wanted, under the names that are wanted', async () => {
    const file = tarGzip({
      'flannel-amd64': { content: 'flannel', mode: 0o755 },
      LICENSE: { content: 'mine' },
    });
    const files = await componentFiles(component(file, unpacked('', { 'flannel-amd64': 'flannel' })), signal);
    expect(files.map(({ entry }) => entry.path)).toEqual(['runtime/containerd/bin/flannel']);
  });

  it('gives right contents in any order, again and again, and two at a time', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `file-${index}`);
    const contents = new Map(names.map((name, index) => [name, Buffer.alloc(70_000 + index * 9973, name)]));
    const file = tarGzip(
      Object.fromEntries([...contents].map(([name, content]) => [name, { content }])),
      names,
    );
    const files = await componentFiles(component(file, unpacked()), signal);
    const orders = [
      files,
      files.toReversed(),
      [...files].sort((one, other) => (one.entry.path < other.entry.path ? -1 : 1)),
    ];
    for (const order of orders) {
      for (const one of order) {
        const content = await contentOf(one);
        expect(content.equals(contents.get(one.entry.path.split('/').at(-1) ?? '') ?? Buffer.alloc(0))).toBe(
          true,
        );
        expect(digestOf(content)).toBe(one.sha256);
      }
    }
    const together = await Promise.all(files.map(contentOf));
    expect(together.map((content) => digestOf(content))).toEqual(files.map(({ sha256 }) => sha256));
  });

  it('notices an archive that changed between hashing and writing', async () => {
    const file = tarGzip({ 'a-file': { content: 'before' } });
    const [one] = await componentFiles(component(file, unpacked()), signal);
    writeFileSync(file, readFileSync(tarGzip({ 'a-file': { content: 'behind' } })));
    await expect(one === undefined ? undefined : contentOf(one)).rejects.toMatchObject({
      code: 'ARCHIVE_CHANGED',
      message: 'a-file changed during the run',
    });
  });

  it.each<[string, (Partial<Header> & Pick<Header, 'name'>)[], string]>([
    ['an absolute path', [{ name: '/etc/passwd' }], 'it contains an absolute path, "/etc/passwd"'],
    [
      'a path that leads out',
      [{ name: 'a/../../b' }],
      'it contains a path that leads out of it, "a/../../b"',
    ],
    [
      'a backslash',
      [{ name: 'a\\..\\b' }],
      'it contains a name with a control character or backslash, "a\\\\..\\\\b"',
    ],
    [
      'a line end in a name',
      [{ name: 'a\nb' }],
      'it contains a name with a control character or backslash, "a\\nb"',
    ],
    [
      'a symbolic link',
      [{ name: 'a', type: 'symlink', linkname: '/etc/passwd' }],
      '"a" is a symlink, but only files are allowed',
    ],
    [
      'a hard link',
      [{ name: 'a', type: 'link', linkname: 'b' }],
      '"a" is a link, but only files are allowed',
    ],
    [
      'a device',
      [{ name: 'a', type: 'character-device' }],
      '"a" is a character-device, but only files are allowed',
    ],
    ['a pipe', [{ name: 'a', type: 'fifo' }], '"a" is a fifo, but only files are allowed'],
    ['a name twice', [{ name: 'a' }, { name: './a' }], 'it contains two entries for "a"'],
    ['a drive letter', [{ name: 'C:/tool' }], 'it contains an absolute path, "C:/tool"'],
    [
      'names that differ in their Unicode form',
      [{ name: 'caf\u00e9' }, { name: 'cafe\u0301' }],
      'it contains two entries for "cafe\u0301"',
    ],
    [
      'a block device',
      [{ name: 'a', type: 'block-device' }],
      '"a" is a block-device, but only files are allowed',
    ],
    ['names that differ in case', [{ name: 'tool' }, { name: 'Tool' }], 'it contains two entries for "Tool"'],
  ])('refuses %s', async (_, headers, message) => {
    const file = await strangeArchive(...headers);
    await expect(componentFiles(component(file, unpacked()), signal)).rejects.toMatchObject({
      code: 'ARCHIVE_UNSAFE',
      about: 'tool 1.0.0',
      message,
      hint: expect.stringContaining('this is not the archive that upstream publishes'),
    });
  });

  it('lets links be that are not wanted', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'crictl'), 'crictl');
    symlinkSync('/etc/passwd', join(folder, 'link'));
    execFileSync('tar', ['-czf', join(folder, 't.tar.gz'), '-C', folder, 'link', 'crictl']);
    const files = await componentFiles(
      component(join(folder, 't.tar.gz'), unpacked('', { crictl: 'crictl' })),
      signal,
    );
    expect(files.map(({ entry }) => entry.path)).toEqual(['runtime/containerd/bin/crictl']);
  });

  it('refuses an archive that unpacks to more than it may', async () => {
    const file = tarGzip({ bomb: { content: Buffer.alloc(5_000_000) } });
    const limits = { unpackedSize: 1_000_000, entries: 100 };
    await expect(componentFiles(component(file, unpacked()), signal, limits)).rejects.toMatchObject({
      code: 'ARCHIVE_UNSAFE',
      message: 'it unpacks to more than 977 KiB',
    });
  });

  it('refuses more entries than it may have', async () => {
    const file = await strangeArchive({ name: 'a' }, { name: 'b' }, { name: 'c' });
    const limits = { unpackedSize: 1_000_000, entries: 2 };
    await expect(componentFiles(component(file, unpacked()), signal, limits)).rejects.toMatchObject({
      message: 'it contains more than 2 entries',
    });
  });

  it('says what an archive holds when what is wanted is not in it', async () => {
    const file = tarGzip({ critest: { content: 'x' } }, ['critest']);
    await expect(
      componentFiles(component(file, unpacked('', { crictl: 'crictl' })), signal),
    ).rejects.toMatchObject({
      code: 'ARCHIVE_INCOMPLETE',
      message: 'it does not contain crictl, only critest',
    });
  });

  it.each([
    ['no archive at all', (whole: Buffer) => Buffer.from('x'.repeat(whole.length))],
    ['cut within the gzip', (whole: Buffer) => whole.subarray(0, whole.length - 2000)],
    ['cut within the tar', () => gzipSync(Buffer.alloc(700, 'x'))],
  ])('says so when it is %s', async (_, damage) => {
    const content = Buffer.from(
      Array.from({ length: 50_000 }, (_unused, index) => (index * index * 31) % 256),
    );
    const file = tarGzip({ tool: { content } });
    writeFileSync(file, damage(readFileSync(file)));
    await expect(componentFiles(component(file, unpacked()), signal)).rejects.toMatchObject({
      code: 'ARCHIVE_UNREADABLE',
      about: 'tool 1.0.0',
    });
  });

  it('stops when the run ends, with its reason', async () => {
    const run = new AbortController();
    const reason = new Error('stopped');
    const file = tarGzip({ tool: { content: Buffer.alloc(1_000_000) } });
    run.abort(reason);
    await expect(componentFiles(component(file, unpacked()), run.signal)).rejects.toBe(reason);
  });
});
