import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { restoreState, saveState } from '../../src/actions/state-cache.ts';
import { milliseconds, seconds } from '../../src/lib/duration.ts';
import { Listener } from '../publish/listener.ts';
import { ActionsService } from '../support/actions-service/service.ts';

const FOLDER = '.keel-sync-state';
const FILE = `${FOLDER}/state.db`;
const KEYS = { family: 'keel-', key: 'keel-1', prefixes: ['keel-'] };
const STATE = 'what a run knew';
const home = process.cwd();
let service: ActionsService;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keel-poisoned-'));
  service = await ActionsService.start();
  for (const [name, value] of Object.entries(service.environment())) vi.stubEnv(name, value);
  vi.stubEnv('RUNNER_TEMP', join(folder, 'temp'));
  // The toolkit writes commands that a runner of these tests would obey.
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterAll(async () => {
  process.chdir(home);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await service[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  rmSync(folder, { recursive: true });
  mkdirSync(join(folder, 'workspace'), { recursive: true });
  process.chdir(join(folder, 'workspace'));
  vi.stubEnv('GITHUB_WORKSPACE', process.cwd());
  if (service.caches.length > 0) return;
  writeFileSync('first.db', STATE);
  const saved = await saveState('first.db', 'keel-1', {
    reporter: new Listener(),
    timeLimit: seconds(60),
  });
  expect(saved).toBe(true);
});

/** Returns what a run finds when the entry in the cache has these bytes, and what it says. */
async function restoreFrom(archive: Buffer | undefined) {
  const [entry] = service.caches;
  const genuine = entry?.blob.bytes;
  if (entry !== undefined && archive !== undefined) entry.blob.bytes = archive;
  const reporter = new Listener();
  for (const name of readdirSync('.')) rmSync(name, { recursive: true });
  const retry = { attempts: 4, interval: milliseconds(5) };
  const isThere = await restoreState('state.db', KEYS, { reporter, retry, timeLimit: seconds(60) });
  if (entry !== undefined) entry.blob.bytes = genuine;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !/^temp/.test(name) && name !== 'workspace',
  );
  const text = existsSync('state.db') ? readFileSync('state.db', 'utf8') : undefined;
  return { isThere, text, files, lines: reporter.lines, warnings: reporter.warnings };
}

type Entry = Partial<Header> & { readonly name: string } & { readonly content?: string };

async function tar(...entries: readonly Entry[]): Promise<Buffer> {
  const packing = pack();
  for (const { content = '', ...header } of entries) packing.entry(header, content);
  packing.finalize();
  const parts: Buffer[] = [];
  for await (const part of packing) if (Buffer.isBuffer(part)) parts.push(part);
  return Buffer.concat(parts);
}

/** Returns an archive of one entry with a changed header, whose checksum is right. */
async function withHeader(change: (header: Buffer) => void): Promise<Buffer> {
  const bytes = await tar({ name: FILE, content: STATE });
  change(bytes);
  bytes.fill(0x20, 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

/** Returns an archive that begins with an extended header of a type, far longer than any. */
function withEndlessHeader(type: 'x' | 'g'): Promise<Buffer> {
  return withHeader((header) => {
    header.write(type, 156);
    header.write('00010000000', 124);
  });
}

const genuine: Entry = { name: FILE, content: STATE };
const inFolder: Entry = { name: `${FOLDER}/`, type: 'directory' };
const outside = '/tmp/keel-must-not-appear';

test('what a run saved is restored, and nothing else is left in the workspace', async () => {
  expect(await restoreFrom(undefined)).toMatchObject({
    isThere: true,
    text: STATE,
    files: ['workspace/state.db'],
    warnings: [],
  });
});

test('what was saved with a global header, as TAR_OPTIONS of a runner may ask for, is restored', async () => {
  const global = await withHeader((header) => {
    header.write('pax_global_header\0', 0);
    header.write('g', 156);
  });
  const header = global.subarray(0, 1024);
  expect(
    await restoreFrom(zstdCompressSync(Buffer.concat([header, await tar(inFolder, genuine)]))),
  ).toMatchObject({
    isThere: true,
    text: STATE,
    warnings: [],
  });
});

const POISONED: readonly (readonly [what: string, archive: () => Promise<Buffer>, says: RegExp])[] = [
  ['an absolute path', () => tar(inFolder, genuine, { name: outside, content: 'x' }), /the file "\/tmp/],
  [
    'a path that leads out',
    () => tar(genuine, { name: `${FOLDER}/../../out`, content: 'x' }),
    /"\.keel.*out"/,
  ],
  [
    'a path beside the state',
    () => tar(genuine, { name: '.git/hooks/post-commit', content: 'x' }),
    /the file/,
  ],
  [
    'a link, and a file through it',
    () => tar({ name: FOLDER, type: 'symlink', linkname: '..' }, genuine),
    /the symbolic link "\.keel-sync-state"/,
  ],
  [
    'a link in place of the state',
    () => tar(inFolder, { name: FILE, type: 'symlink', linkname: '/etc/passwd' }),
    /the symbolic link/,
  ],
  ['a hard link', () => tar({ name: FILE, type: 'link', linkname: '/etc/passwd' }), /the hard link/],
  [
    'a device',
    () => tar({ name: FILE, type: 'character-device', devmajor: 1, devminor: 3 }),
    /the device "\.keel/,
  ],
  ['a pipe', () => tar({ name: FILE, type: 'fifo' }), /the pipe/],
  ['the state twice', () => tar(genuine, genuine), /"\.keel-sync-state\/state\.db" twice/],
  [
    '100,000 entries',
    async () => Buffer.concat([...Array.from({ length: 100_000 }, () => extendedHeader), await tar(genuine)]),
    /more than 8 entries/,
  ],
  [
    'a sparse file of a terabyte',
    () =>
      withHeader((header) => {
        header.write('S', 156);
        header.write('77777777777', 124);
      }),
    /the sparse file/,
  ],
  [
    'a state that is too large for one',
    () => withHeader((header) => void header.write('02000000001', 124)),
    /too much for a state/,
  ],
  [
    'a size in another notation',
    () => withHeader((header) => void header.fill(0xff, 124, 136)),
    /too much for a state/,
  ],
  [
    'a name that a prefix makes another',
    () => withHeader((header) => void header.write('/etc', 345)),
    /"\/etc/,
  ],
  ['an extended header without end', () => withEndlessHeader('x'), /a header that is far too long/],
  ['a global header without end', () => withEndlessHeader('g'), /a header that is far too long/],
  [
    'more behind its end',
    async () => Buffer.concat([await tar(genuine), Buffer.from('garbage')]),
    /continues after its end/,
  ],
  [
    'zeros without end',
    async () => Buffer.concat([await tar(genuine), Buffer.alloc(40 << 20)]),
    /continues after/,
  ],
];
const extendedHeader = Buffer.alloc(512);
extendedHeader.write('x', 0);
extendedHeader.write('00000000000', 124);
extendedHeader.write('x', 156);
extendedHeader.write('ustar\x0000', 257);
extendedHeader.fill(0x20, 148, 156);
extendedHeader.write(
  `${extendedHeader
    .reduce((total, byte) => total + byte, 0)
    .toString(8)
    .padStart(6, '0')}\0 `,
  148,
);

test.each(POISONED)(
  'an archive with %s is refused before any of it is used',
  async (_what, archive, says) => {
    const refused = await restoreFrom(zstdCompressSync(await archive()));
    expect(refused).toMatchObject({ isThere: false, text: undefined, files: [], lines: [] });
    expect(refused.warnings).toEqual([
      expect.stringMatching(
        /^state: not restored, the archive in the cache: .*, and was refused \(delete it/,
      ),
    ]);
    expect(refused.warnings[0]).toMatch(says);
    expect(existsSync(outside)).toBe(false);
  },
);

test.each<[string, () => Promise<Buffer>]>([
  ['cut in its tar', async () => zstdCompressSync((await tar(genuine)).subarray(0, 600))],
  ['cut in its zstd', async () => zstdCompressSync(await tar(genuine)).subarray(0, -6)],
  ['packed otherwise', async () => gzipSync(await tar(genuine))],
  ['empty', async () => Buffer.alloc(0)],
  [
    'of a run that was killed',
    async () => zstdCompressSync(await tar(genuine, { name: `${FILE}-journal`, content: 'x' })),
  ],
  ['without a state', async () => zstdCompressSync(await tar(inFolder))],
  ['no tar', async () => zstdCompressSync(Buffer.from('x'.repeat(2000)))],
  ['larger than any state', async () => Buffer.alloc(65 << 20)],
])('an archive that is %s costs a line', async (_what, archive) => {
  const damaged = await restoreFrom(await archive());
  expect(damaged).toMatchObject({ isThere: false, text: undefined, files: [], warnings: [] });
  expect(damaged.lines).toEqual([expect.stringMatching(/^state: not restored, .*; this run checks/)]);
});

test('what stands behind a packed archive is not unpacked', async () => {
  const more = Buffer.concat([zstdCompressSync(await tar(genuine)), Buffer.from('garbage')]);
  expect(await restoreFrom(more)).toMatchObject({ text: STATE, files: ['workspace/state.db'] });
});
