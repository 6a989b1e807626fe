import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Host } from '../src/registry/oci/reference.ts';
import { missingPrograms } from '../test/support/programs.ts';

/** What is to be mirrored, and where to. */
export interface MirrorTask {
  readonly from: Host;
  readonly to: Host;
  readonly repositories: readonly { readonly name: string; readonly tags: readonly string[] }[];
  /** For what the tool reads and remembers. */
  readonly folder: string;
}

/** A tool that mirrors repositories. */
export interface Mirrorer {
  readonly name: string;
  /** Undefined for this project, which is always here. */
  readonly program: string | undefined;
  /** Prints its version. */
  readonly versionWords: readonly string[];
  /** Writes what the tool reads, and returns its command line. */
  readonly command: (task: MirrorTask) => Promise<string>;
}

export const SYNCTL = resolve('synctl');
/** What the others are told to do at the same time. */
const PARALLEL = 16;

async function synctl({ from, to, repositories, folder }: MirrorTask): Promise<string> {
  const set = join(folder, 'image_set.json');
  await writeFile(set, JSON.stringify({ names: repositories.map(({ name }) => name) }));
  const route = `--source ${from} --push-to ${to} --push-ns mirror --naming path`;
  return `${SYNCTL} sync ${route} --image-set ${set} --db ${join(folder, 'state')}`;
}

async function skopeo({ from, to, repositories, folder }: MirrorTask): Promise<string> {
  const list = join(folder, 'images.yml');
  const images = Object.fromEntries(repositories.map(({ name, tags }) => [name, tags]));
  // YAML, of which JSON is a part.
  await writeFile(list, JSON.stringify({ [from]: { 'tls-verify': false, images } }));
  const how = '--all --src yaml --dest docker --dest-tls-verify=false';
  return `skopeo --insecure-policy sync ${how} ${list} ${to}/mirror`;
}

async function crane({ from, to, repositories }: MirrorTask): Promise<string> {
  const copy = (name: string): string =>
    `crane cp -a -j ${PARALLEL} --insecure ${from}/${name} ${to}/mirror/${name}`;
  return repositories.map(({ name }) => copy(name)).join(' && ');
}

async function regsync({ from, to, repositories, folder }: MirrorTask): Promise<string> {
  const file = join(folder, 'regsync.yml');
  const plain = (registry: Host): object => ({ registry, tls: 'disabled', reqConcurrent: PARALLEL });
  const sync = repositories.map(({ name }) => ({
    source: `${from}/${name}`,
    target: `${to}/mirror/${name}`,
    type: 'repository',
  }));
  await writeFile(
    file,
    JSON.stringify({ version: 1, creds: [plain(from), plain(to)], defaults: { parallel: PARALLEL }, sync }),
  );
  return `regsync once -c ${file} -v error`;
}

async function oras({ from, to, repositories }: MirrorTask): Promise<string> {
  const copy = (image: string): string =>
    `oras cp -r --no-tty --from-plain-http --to-plain-http ${from}/${image} ${to}/mirror/${image}`;
  return repositories.flatMap(({ name, tags }) => tags.map((tag) => copy(`${name}:${tag}`))).join(' && ');
}

/** This project first. */
export const MIRRORERS: readonly Mirrorer[] = [
  { name: 'keel', program: undefined, versionWords: [], command: synctl },
  { name: 'skopeo', program: 'skopeo', versionWords: ['--version'], command: skopeo },
  { name: 'crane', program: 'crane', versionWords: ['version'], command: crane },
  { name: 'regsync', program: 'regsync', versionWords: ['version'], command: regsync },
  { name: 'oras', program: 'oras', versionWords: ['version'], command: oras },
];

/** Returns those that are installed here. */
export function installedMirrorers(): readonly Mirrorer[] {
  return MIRRORERS.filter(({ program }) => program === undefined || missingPrograms([program]).length === 0);
}
