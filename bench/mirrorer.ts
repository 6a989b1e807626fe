import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Host } from '../src/registry/oci/reference.ts';
import { missingPrograms } from '../test/support/programs.ts';
import { AUTHORITY_FILE } from '../test/support/test-authority.ts';
import { LOGIN } from '../test/support/token-server.ts';
import { type RegistryAccess, writeLogins } from './registry-access.ts';

/** What is to be mirrored, and where to. */
export interface MirrorTask {
  readonly from: Host;
  readonly to: Host;
  readonly repositories: readonly { readonly name: string; readonly tags: readonly string[] }[];
  readonly access: RegistryAccess;
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

/** Returns what stands in front of a command. */
async function logins({ from, to, folder, access }: MirrorTask): Promise<string> {
  return access === 'plain' ? '' : `${await writeLogins(folder, [from, to])} `;
}

async function synctl(task: MirrorTask): Promise<string> {
  const { from, to, repositories, folder, access } = task;
  const set = join(folder, 'image_set.json');
  await writeFile(set, JSON.stringify({ names: repositories.map(({ name }) => name) }));
  const route = `--source ${from} --push-to ${to} --push-ns mirror --naming path`;
  const trust = access === 'plain' ? '' : `--ca-file ${AUTHORITY_FILE} `;
  // A sample would ask for the images of other indexes each day.
  const files = `--image-set ${set} --db ${join(folder, 'state')} --verify none`;
  return `${await logins(task)}${SYNCTL} sync ${route} ${trust}${files}`;
}

async function skopeo(task: MirrorTask): Promise<string> {
  const { from, to, repositories, folder, access } = task;
  const list = join(folder, 'images.yml');
  const images = Object.fromEntries(repositories.map(({ name, tags }) => [name, tags]));
  // YAML, of which JSON is a part.
  await writeFile(list, JSON.stringify({ [from]: { 'tls-verify': access === 'tls', images } }));
  const how = `--all --src yaml --dest docker --dest-tls-verify=${access === 'tls'}`;
  return `${await logins(task)}skopeo --insecure-policy sync ${how} ${list} ${to}/mirror`;
}

async function crane(task: MirrorTask): Promise<string> {
  const { from, to, repositories, access } = task;
  const before = await logins(task);
  const insecure = access === 'plain' ? '--insecure ' : '';
  const copy = (name: string): string =>
    `${before}crane cp -a -j ${PARALLEL} ${insecure}${from}/${name} ${to}/mirror/${name}`;
  return repositories.map(({ name }) => copy(name)).join(' && ');
}

async function regsync(task: MirrorTask): Promise<string> {
  const { from, to, repositories, folder, access } = task;
  const file = join(folder, 'regsync.yml');
  const plain = (registry: Host): object => ({ registry, tls: 'disabled', reqConcurrent: PARALLEL });
  const secure = (registry: Host): object => ({
    registry,
    regcert: readFileSync(AUTHORITY_FILE, 'utf8'),
    user: LOGIN.username,
    pass: LOGIN.password,
    reqConcurrent: PARALLEL,
  });
  const creds = [from, to].map(access === 'plain' ? plain : secure);
  const sync = repositories.map(({ name }) => ({
    source: `${from}/${name}`,
    target: `${to}/mirror/${name}`,
    type: 'repository',
  }));
  await writeFile(file, JSON.stringify({ version: 1, creds, defaults: { parallel: PARALLEL }, sync }));
  return `regsync once -c ${file} -v error`;
}

async function oras(task: MirrorTask): Promise<string> {
  const { from, to, repositories, access } = task;
  const before = await logins(task);
  const plain = access === 'plain' ? '--from-plain-http --to-plain-http ' : '';
  const copy = (image: string): string =>
    `${before}oras cp -r --no-tty ${plain}${from}/${image} ${to}/mirror/${image}`;
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
