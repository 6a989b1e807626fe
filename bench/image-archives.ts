import { stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Case, Contender, Stage } from './case.ts';
import { measure } from './measure.ts';
import type { Sample } from './sample.ts';
import { openScratch } from './scratch.ts';
import { type SyncSource, startSource } from './sync-source.ts';

const TAGS_OF_REPOSITORY = 3;
const KUBERNETES = '1.37.1';
const PACKAGE = `kube-${KUBERNETES}-amd64.tar.gz`;
const PACKER = resolve('packer');

interface PackedImage {
  readonly name: string;
  readonly tag: string;
}

/** Pulls some versions of each image and packs them: all in one layout, or an archive of docker's for each. */
export function imageArchivesCase(isFull: boolean): Case {
  const open = async (wants: (contender: string) => boolean): Promise<Stage> => {
    const source = await startSource(isFull, 'plain');
    const { host } = source.registry;
    const images = source.repositories.flatMap(({ name, tags }) =>
      tags.slice(-TAGS_OF_REPOSITORY).map((tag) => ({ name, tag })),
    );
    const contenders = [
      contender('keel', source, (folder) => packWithPacker(host, images, folder)),
      contender('docker-archives', source, async (folder) => packWithSkopeo(host, images, folder)),
    ];
    return {
      contenders: contenders.filter(({ name }) => wants(name)),
      facts: { images: images.length },
      [Symbol.asyncDispose]: () => source.registry[Symbol.asyncDispose](),
    };
  };
  const images = `${TAGS_OF_REPOSITORY} versions of each of ${isFull ? 20 : 3} images`;
  return { id: 'pack-images', part: 'pack', title: `package of ${images}`, open };
}

function contender(
  name: string,
  { registry }: SyncSource,
  commandIn: (folder: string) => Promise<string>,
): Contender {
  const run = async (): Promise<Sample> => {
    await using scratch = await openScratch();
    const command = await commandIn(scratch.folder);
    const { stdout: _, ...cost } = await measure(`cd '${scratch.folder}' && ${command}`, {
      source: registry.pid,
    });
    return { ...cost, size: (await stat(join(scratch.folder, PACKAGE))).size };
  };
  return { name, run };
}

async function packWithPacker(host: string, images: readonly PackedImage[], folder: string): Promise<string> {
  const wanted = images.map(({ name, tag }) => ({
    name: name.slice(name.indexOf('/') + 1),
    tag,
    image: `${host}/${name}`,
  }));
  await writeFile(join(folder, 'versions.json'), JSON.stringify({ images: wanted, components: [] }));
  const folders = '--image-output layers --download-output downloads --output .';
  return `'${PACKER}' --image-source upstream --kube-version ${KUBERNETES} --arch amd64 ${folders}`;
}

function packWithSkopeo(host: string, images: readonly PackedImage[], folder: string): string {
  const copies = images.map(({ name, tag }, index) => {
    const target = `docker-archive:${folder}/images/${index}.tar:${name}:${tag}`;
    return `skopeo --insecure-policy --override-arch amd64 copy -q --src-tls-verify=false docker://${host}/${name}:${tag} ${target}`;
  });
  return ['mkdir images', ...copies, `tar czf ${PACKAGE} images`].join(' && ');
}
