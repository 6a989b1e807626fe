import { chmod, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Architecture } from '../config/kubernetes/architecture.ts';
import type { KubeadmTags } from '../config/kubernetes/kubeadm-tags.ts';
import type { KubernetesVersion } from '../config/kubernetes/kubernetes-version.ts';
import { type Duration, formatDuration, seconds } from '../lib/duration.ts';
import { failureCode } from '../lib/failure.ts';
import { runProgram } from '../process/program-run.ts';
import type { Digest } from '../registry/oci/digest.ts';
import { findChecksum } from './fetch/checksum-file.ts';
import { download } from './fetch/verified-download.ts';
import { readImageList } from './image-list.ts';
import type { MakerClient, MakerClientParts } from './maker-client.ts';
import { NothingThere, WrongAnswer } from './wrong-answer.ts';

/** In bytes; kubeadm has some 70 MB. */
const PROGRAM_LIMIT = 256 * 1024 * 1024;
const CHECKSUM_LIMIT = 4096;
const OUTPUT_LIMIT = 64 * 1024;
const PATIENCE = seconds(20);
/** How long its download may take. It takes a minute or more on lines on which a whole package would take hours. */
const DOWNLOAD_PATIENCE = seconds(120);

/** Node's names of the architectures for which upstream publishes kubeadm. */
const MACHINES: ReadonlyMap<string, Architecture> = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
  ['ppc64', 'ppc64le'],
  ['s390x', 's390x'],
]);

/** Where kubeadm is run. */
export interface ProgramPlace {
  /** As `process.platform` and `process.arch` have them. */
  readonly platform: string;
  readonly machine: string;
  /** The folder in which a private one is created; the system's folder for temporary files by default. */
  readonly folder?: string | undefined;
  /** How long the download of kubeadm may take; two minutes by default. */
  readonly patience?: Duration | undefined;
}

const FOLDER = 'keel-kubeadm-';
const LEFT_AFTER = seconds(3600);

/** The program kubeadm, which prints the images that it uses. */
export class KubeadmProgram {
  readonly #client: MakerClient;
  readonly #parts: Pick<MakerClientParts, 'http' | 'retry' | 'mirror'>;
  readonly #place: ProgramPlace;

  constructor(
    client: MakerClient,
    parts: Pick<MakerClientParts, 'http' | 'retry' | 'mirror'>,
    place: ProgramPlace,
  ) {
    this.#client = client;
    this.#parts = parts;
    this.#place = place;
  }

  /**
   * Fetches kubeadm of a version into a folder of its own, compares it with upstream's checksum, runs it to get its images,
   * and removes it. Returns the tags of the images. Throws `Failure`, `WrongAnswer`, or the signal's reason.
   */
  async tags(version: KubernetesVersion, signal: AbortSignal): Promise<KubeadmTags> {
    const { platform, machine, folder: parent = tmpdir() } = this.#place;
    const arch = MACHINES.get(machine);
    if (platform !== 'linux' || arch === undefined) {
      throw new NothingThere(`there is none for ${platform} on ${machine}`);
    }
    const url = new URL(`https://dl.k8s.io/release/v${version}/bin/linux/${arch}/kubeadm`);
    const expected = await this.#checksum(url, signal);
    await removeLeftovers(parent);
    // Only its owner can enter a folder that mkdtemp creates.
    const folder = await mkdtemp(join(parent, FOLDER)).catch((error: unknown) => {
      throw new WrongAnswer(`cannot create a folder for it in ${parent} (${failureCode(error)})`);
    });
    try {
      const file = join(folder, 'kubeadm');
      await this.#fetch(url, file, expected, signal);
      await chmod(file, 0o500);
      return readImageList(await listOf(file, version, signal), version);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #fetch(url: URL, file: string, expected: Digest, signal: AbortSignal): Promise<void> {
    const { http, retry, mirror } = this.#parts;
    const { patience = DOWNLOAD_PATIENCE } = this.#place;
    const limit = AbortSignal.timeout(patience);
    try {
      await download(
        { url: mirror.map(url), file, expected },
        {
          http,
          retry: { ...retry, attempts: 1 },
          sizeLimit: PROGRAM_LIMIT,
          signal: AbortSignal.any([signal, limit]),
        },
      );
    } catch (error) {
      signal.throwIfAborted();
      if (limit.aborted)
        throw new WrongAnswer(`the download did not finish within ${formatDuration(patience)}`);
      throw error;
    }
  }

  /** Fetches the checksum from upstream itself: a mirror could send another program with a matching checksum. */
  async #checksum(url: URL, signal: AbortSignal): Promise<Digest> {
    const address = new URL(`${url.href}.sha256`);
    const text = await this.#client.ownText(address, CHECKSUM_LIMIT, signal);
    if (text === undefined) throw new NothingThere(`no checksum for it at ${address.href}`);
    return findChecksum(text, 'kubeadm', address.href);
  }
}

/** Removes the folders of runs that were killed. One that is in use is a few minutes old at most. */
async function removeLeftovers(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(FOLDER))) {
    const folder = join(parent, name);
    try {
      const { mtimeMs } = await lstat(folder);
      if (Date.now() - mtimeMs > LEFT_AFTER) await rm(folder, { recursive: true, force: true });
    } catch {
      // It belongs to another user, or another run removes it.
    }
  }
}

async function listOf(file: string, version: KubernetesVersion, signal: AbortSignal): Promise<string> {
  const line = ['config', 'images', 'list', '--kubernetes-version', `v${version}`];
  const limits = { patience: PATIENCE, output: OUTPUT_LIMIT, signal, environment: {} };
  const ended = await runProgram([file, ...line], '', limits).catch((error: unknown) => {
    throw new WrongAnswer(`it cannot run on this machine (${failureCode(error)})`);
  });
  signal.throwIfAborted();
  if (ended.by !== 'itself') {
    const what =
      ended.by === 'output' ? 'printed too much output' : `did not finish within ${formatDuration(PATIENCE)}`;
    throw new WrongAnswer(`it ${what}`);
  }
  if (ended.code !== 0)
    throw new WrongAnswer(
      ended.code === undefined ? 'it was terminated' : `it failed with exit code ${ended.code}`,
    );
  return ended.output;
}
