import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { type Fault, FileServer } from '../support/file-server.ts';
import { PUBLIC_TOKENS } from '../support/registry/access.ts';
import type { FaultRule } from '../support/registry/faults.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { endless, made } from './lies.ts';
import { measured } from './measured-program.ts';
import type { ProgramCost } from './program-cost.ts';

const MEBIBYTE = 1024 * 1024;
/** An honest package of these sizes takes a third of it, and no lie may cost more. */
const MEMORY_LIMIT = 500;
const TIMEOUT = 240_000;
/** What stays unsaid of a lie that goes on and on. */
const TOLD_LIMIT = 8000;

interface World {
  readonly registry: TestRegistry;
  readonly web: FileServer;
}

async function pack({ registry, web }: World, images: readonly string[], components: readonly object[]) {
  const folder = scratchFolder();
  const versions = {
    arch: 'amd64',
    images: images.map((name) => ({ name, tag: 'v1', image: `${registry.host}/${name}` })),
    components: components.map((component) => ({ tag: '1.0.0', ...component })),
  };
  writeFileSync(join(folder, 'versions.json'), JSON.stringify(versions));
  const run = await measured('packer', folder, [
    ...['--kube-version', '1.37.1', '--image-source', 'upstream', '--retry', '2', '--retry-interval', '5ms'],
    ...['--version-config', join(folder, 'versions.json')],
    ...['--package', fileURLToPath(new URL('../../package', import.meta.url))],
    ...['--output', folder, '--image-output', join(folder, 'images'), '--download-output', folder],
  ]);
  const { KEEL_SHOW_COSTS: isShown } = process.env;
  if (isShown !== undefined) console.log(run, registry.journal.bytes().out / MEBIBYTE, web.seen.length);
  return run;
}

function requireBounded({ code, told, memory }: ProgramCost): void {
  expect(code, told).toBe(1);
  expect(told.length).toBeLessThan(TOLD_LIMIT);
  expect(memory).toBeGreaterThan(20);
  expect(memory).toBeLessThan(MEMORY_LIMIT);
}

function about(kind: RequestKind, repository: string): Omit<FaultRule, 'fault'> {
  return {
    match: { kind, when: (entry) => entry.repository === repository },
    times: Number.POSITIVE_INFINITY,
  };
}

/** Entries of an index for platforms that nobody has heard of. */
function entry(at: number): string {
  const digest = digestOf(Buffer.from(String(at)));
  const platform = { os: 'linux', architecture: `a${at}` };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  return JSON.stringify({ mediaType, size: 100, digest, platform });
}

const IMAGES: readonly (readonly [
  name: string,
  told: RegExp,
  rig: (source: TestRegistry, name: string) => void,
])[] = [
  [
    'manifest-without-end',
    /manifest.* (?:larger|more) than/,
    (source, name) =>
      source.fail({
        ...about('manifest-get', name),
        fault: made(() => endless('{"schemaVersion":2,"layers":[', (at) => `{"size":${at}},`)),
      }),
  ],
  [
    'index-of-100000',
    /(?:larger|more) than/,
    (source, name) =>
      source.fail({
        ...about('manifest-get', name),
        fault: made(() =>
          endless('{"schemaVersion":2,"manifests":[', (at) => `${entry(at)},`, 20 * MEBIBYTE),
        ),
      }),
  ],
  [
    'index-of-20000',
    /no image for linux\/amd64.* and 19960 more/,
    ({ storage }, name) => {
      const type = 'application/vnd.oci.image.index.v1+json';
      const manifests = Array.from({ length: 20_000 }, (_, at) => entry(at)).join(',');
      const text = `{"schemaVersion":2,"mediaType":"${type}","manifests":[${manifests}]}`;
      storage.putManifest(name, Buffer.from(text), type, ['v1']);
    },
  ],
  [
    'blob-without-end',
    /it is longer than the \d+ bytes announced/,
    (source, name) =>
      source.fail({ ...about('blob-get', name), fault: made(() => endless('', () => 'on and on ')) }),
  ],
];

it.each(IMAGES)(
  'refuses an image whose registry lies: %s',
  { timeout: TIMEOUT },
  async (name, words, rig) => {
    await using registry = await startRegistry({ access: PUBLIC_TOKENS });
    await using web = await FileServer.start();
    seedImage(registry.storage, name, { tags: ['v1'], seed: name });
    rig(registry, name);
    const run = await pack({ registry, web }, [name], []);
    requireBounded(run);
    expect(run.told).toMatch(words);
    expect(registry.journal.count()).toBeLessThan(20);
    expect(registry.journal.bytes().out / MEBIBYTE).toBeLessThan(60);
  },
);

/** The header of a file in a tar, which says how large it is. */
function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write('0000644\0', 100);
  block.write(`${size.toString(8).padStart(11, '0')} `, 124);
  block.write('00000000000 ', 136);
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\0' + '00', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

const ONE_FILE = Buffer.concat([header('tool', 4), Buffer.from('tool'.padEnd(512, '\0'))]);

const COMPONENTS: readonly (readonly [
  name: string,
  told: RegExp,
  file: Buffer,
  faults: { readonly file?: Fault; readonly checksum?: Fault },
])[] = [
  [
    'a checksum file without end',
    /it is larger than 1 MiB, so it is not a list of checksums/,
    Buffer.from('x'),
    { checksum: { kind: 'made', pieces: () => endless('', (at) => `${at} is no checksum\n`) } },
  ],
  [
    'a file that is said to have a terabyte',
    /it is larger than 8 GiB/,
    Buffer.from('x'),
    {
      file: {
        kind: 'made',
        pieces: () => endless('', () => 'x'),
        headers: { 'content-length': '1099511627776' },
      },
    },
  ],
  [
    'an archive with a file of 60 GiB',
    /it unpacks to more than 8 GiB/,
    gzipSync(Buffer.concat([ONE_FILE, header('bomb', 8 ** 11 - 1), Buffer.alloc(100 * MEBIBYTE)])),
    {},
  ],
  [
    'an archive that does not end, and contains no further file',
    /it cannot be read as a tar\.gz \(it contains no further file, but does not end\)/,
    gzipSync(Buffer.concat([ONE_FILE, Buffer.alloc(200 * MEBIBYTE)])),
    {},
  ],
];

it.each(COMPONENTS)('refuses %s', { timeout: TIMEOUT }, async (_, words, file, { file: fault, checksum }) => {
  await using registry = await startRegistry({ access: PUBLIC_TOKENS });
  await using web = await FileServer.start();
  const uri = web.put('/tool.tar.gz', file, ...(fault === undefined ? [] : [fault]));
  const sum = `${digestHex(digestOf(file))}  tool.tar.gz\n`;
  web.put('/tool.tar.gz.sha256', sum, ...(checksum === undefined ? [] : [checksum]));
  const run = await pack({ registry, web }, [], [{ name: 'tool', uri: uri.href, path: 'tools/' }]);
  requireBounded(run);
  expect(run.told).toMatch(words);
  expect(web.seen.length).toBeLessThan(10);
});
