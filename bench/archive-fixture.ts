import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** Programs that machines for development have; those that are missing are left out. */
const PROGRAMS = [
  process.execPath,
  '/usr/bin/skopeo',
  '/usr/bin/ctr',
  '/usr/bin/docker-registry',
  '/usr/bin/containerd',
  '/usr/bin/podman',
  '/usr/bin/docker',
  '/usr/bin/git',
  '/usr/bin/python3.11',
  '/usr/bin/gdb',
];

/** Trees like those of a package: `bin` holds programs, `layers` gzip files, `all` both. */
export interface ArchiveFixture {
  readonly root: string;
  readonly trees: { readonly all: string; readonly layers: string };
  /** Bytes of programs and of layers. */
  readonly sizes: { readonly programs: number; readonly layers: number };
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const file = await stat(path).catch(() => undefined);
    if (file?.isFile() === true && file.size > 1024 * 1024) found.push(path);
  }
  return found;
}

/** Makes the trees from programs found on this machine; as many bytes of layers as of programs, or somewhat more. */
export async function makeFixture(root: string): Promise<ArchiveFixture> {
  await rm(root, { recursive: true, force: true });
  const all = join(root, 'all');
  const bin = join(all, 'bin');
  const layers = join(all, 'layers');
  await mkdir(bin, { recursive: true });
  await mkdir(layers);
  const sizes = { programs: 0, layers: 0 };
  const programs = await existing(PROGRAMS);
  for (const [index, path] of programs.entries()) {
    const copy = join(bin, `program-${index}`);
    await copyFile(path, copy);
    sizes.programs += (await stat(copy)).size;
  }
  for (let round = 0; sizes.layers < sizes.programs; round += 1) {
    for (const index of programs.keys()) {
      const layer = join(layers, `layer-${round}-${index}.gz`);
      if (round === 0) {
        await pipeline(
          createReadStream(join(bin, `program-${index}`)),
          createGzip({ level: 6 }),
          createWriteStream(layer),
        );
      } else {
        await copyFile(join(layers, `layer-0-${index}.gz`), layer);
      }
      sizes.layers += (await stat(layer)).size;
    }
  }
  return { root, trees: { all, layers }, sizes };
}
