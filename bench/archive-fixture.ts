import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, cp, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip, createGzip } from 'node:zlib';

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

/**
 * Trees like those of a package: `bin` holds programs, `layers` gzip files, `all` both. `saved` has the same programs
 * and, in place of the layers, one tar an image as `docker save` writes it: layers unpacked, and the one that all
 * images share in each of them.
 */
export interface ArchiveFixture {
  readonly root: string;
  readonly trees: { readonly all: string; readonly layers: string };
  readonly saved: string;
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
  return { root, trees: { all, layers }, saved: await saveImages(root, all), sizes };
}

/** Makes an image of each two layers, on the smallest one as their base, and archives each by itself. */
async function saveImages(root: string, all: string): Promise<string> {
  const saved = join(root, 'saved');
  await mkdir(join(saved, 'images'), { recursive: true });
  await cp(join(all, 'bin'), join(saved, 'bin'), { recursive: true });
  const layers = (await readdir(join(all, 'layers'))).toSorted().map((name) => join(all, 'layers', name));
  const sizes = new Map(
    await Promise.all(layers.map(async (file) => [file, (await stat(file)).size] as const)),
  );
  // Bases are small: those of Kubernetes' images have 2 MiB.
  const [base, ...own] = layers.toSorted((one, other) => (sizes.get(one) ?? 0) - (sizes.get(other) ?? 0));
  for (let first = 0; first < own.length; first += 2) {
    const folder = join(root, 'image');
    await mkdir(folder);
    for (const [index, layer] of [base, ...own.slice(first, first + 2)].entries()) {
      if (layer === undefined) continue;
      const file = join(folder, `layer-${index}.tar`);
      await pipeline(createReadStream(layer), createGunzip(), createWriteStream(file));
    }
    await promisify(execFile)('tar', ['-cf', join(saved, 'images', `${first}.tar`), '-C', folder, '.']);
    await rm(folder, { recursive: true });
  }
  return saved;
}
