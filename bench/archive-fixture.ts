import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, stat } from 'node:fs/promises';
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

/** More layers than programs, as packages have them. */
const LAYERS_FOR_PROGRAMS = 1.1;

/** Trees like those of a package: `layers` holds gzip files, `all` programs besides. */
export interface ArchiveFixture {
  readonly all: string;
  readonly layers: string;
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

/** Makes the trees in a folder, from programs found on this machine. */
export async function makeFixture(root: string): Promise<ArchiveFixture> {
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
  for (let round = 0; sizes.layers < sizes.programs * LAYERS_FOR_PROGRAMS; round += 1) {
    for (const index of programs.keys()) {
      if (sizes.layers >= sizes.programs * LAYERS_FOR_PROGRAMS) break;
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
  return { all, layers, sizes };
}
