import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { PATIENT } from './causes.ts';
import {
  COMPONENT_FILE,
  PACKAGE,
  type PackCellWorld,
  packCellWorld,
  SECRET,
  type Sizes,
} from './pack-cell-world.ts';
import { brokenTags } from './wholeness.ts';

const PACKER = fileURLToPath(new URL('../../src/packer.ts', import.meta.url));
/** Of 512 bytes, as `ulimit -f` counts. */
const BLOCKS = 400;
const LIMIT = BLOCKS * 512;

vi.setConfig({ testTimeout: 180_000 });

/** Packs in a process whose files may not grow beyond a limit, which is what a full disk looks like to everyone. */
async function packWithin(blocks: number, { line, folder }: PackCellWorld, ...more: readonly string[]) {
  const { PATH = '' } = process.env;
  // Who tries is told so instead of being killed.
  const limited = `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`;
  const child = spawn('sh', ['-c', limited, 'sh', process.execPath, PACKER, ...line, ...more], {
    env: { PATH, HOME: folder, NODE_EXTRA_CA_CERTS: AUTHORITY_FILE, KEEL_PASSWORD: SECRET },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told = Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, told: (await told).join('\n') };
}

it.each<[string, Sizes, RegExp]>([
  [
    'a component',
    { component: LIMIT + 1, layers: [1000] },
    /downloads: no space left for kubelet-1\.37\.1-amd64 \(free some space, .*--download-output\)/,
  ],
  [
    'a layer',
    { component: 1000, layers: [LIMIT + 1] },
    /sha256: no space left for [0-9a-f]{64}\S* \(free some space, .*--image-output\)/,
  ],
  [
    'the package',
    { component: LIMIT - 1000, layers: [LIMIT - 1000] },
    /kube-1\.37\.1-amd64\.tar\.gz: the disk became full while packer wrote the archive \(free some space/,
  ],
])('says so when there is no room for %s, and goes on from there', async (_, sizes, words) => {
  await using here = await packCellWorld(false, sizes);
  const { code, told } = await packWithin(BLOCKS, here);
  expect(told).toMatch(words);
  expect(code).toBe(1);
  expect(here.left()).toEqual([]);
  const { whole } = here.fetched();
  here.mirror.journal.clear();
  here.web.journal.clear();
  expect((await here.pack(PATIENT)).error).toBeUndefined();
  expect(await here.faults()).toEqual([]);
  expect(here.asked().filter((name) => whole.includes(name))).toEqual([]);
});

it('mirrors on when there is no room for the report, and says so', async () => {
  await using source = await startRegistry({ access: PUBLIC_TOKENS });
  await using destination = await startRegistry({ access: TOKENS });
  seedImage(source.storage, 'app', { tags: ['v1'] });
  const route = new SyncRoute({ source, destination, set: { names: ['app'] } });
  const { code, told } = await route.start('--report', '/dev/full').end();
  expect(told).toMatch(/\/dev\/full: the file cannot be written \(ENOSPC.*make room on this disk/);
  expect(code).toBe(1);
  expect(brokenTags(destination.storage)).toEqual([]);
  expect(destination.storage.manifest('keel/app', 'v1')).toBeDefined();
});

it('removes what a killed run left of a package, and nothing that may be at work', async () => {
  await using here = await packCellWorld();
  await here.pack(PATIENT);
  const gone = 2 ** 22 - 1;
  const leftovers = [`.${PACKAGE}.${gone}-0a.partial`, `.${PACKAGE}.${process.pid}-0b.partial`];
  for (const name of leftovers) {
    writeFileSync(join(here.output, name), 'half');
    utimesSync(join(here.output, name), 0, 0);
  }
  const fresh = `.${PACKAGE}.${gone}-0c.partial`;
  writeFileSync(join(here.output, fresh), 'half');
  await here.pack(PATIENT);
  expect(readdirSync(here.output).toSorted()).toEqual([leftovers[1], fresh, PACKAGE].toSorted());
});

it('packs from the beginnings that are there, wherever they were cut, and from none that is wrong', async () => {
  await using here = await packCellWorld(false, { component: 20_000, layers: [9000] });
  await here.pack(PATIENT);
  const images = join(here.folder, 'images/blobs/sha256');
  const downloads = join(here.folder, 'downloads');
  const files = [...readdirSync(images).map((name) => join(images, name)), join(downloads, COMPONENT_FILE)];
  const contents = new Map(files.map((file) => [file, readFileSync(file)]));
  for (const share of [0, 0.0001, 0.3, 0.999, 1, 1.1]) {
    for (const isRight of [true, false]) {
      for (const [file, content] of contents) {
        rmSync(file, { force: true });
        const beginning = Buffer.concat([content, content]).subarray(0, Math.ceil(content.length * share));
        writeFileSync(`${file}.part`, isRight ? beginning : Buffer.from(beginning.map((byte) => byte ^ 1)));
      }
      rmSync(join(here.output, PACKAGE));
      expect((await here.pack(PATIENT)).error, `${share} ${isRight}`).toBeUndefined();
      expect(await here.faults(), `${share} ${isRight}`).toEqual([]);
      for (const file of files) expect(existsSync(`${file}.part`)).toBe(false);
    }
  }
});
