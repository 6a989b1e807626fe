import semver from 'semver';
import { type ContainerdSupport, readContainerdSupport } from '../config/kubernetes/containerd-support.ts';
import { CHECKSUM_FILE_LIMIT, findChecksum } from './fetch/checksum-file.ts';
import type { MakerClient } from './maker-client.ts';
import type { Asked } from './makers.ts';
import { askInTurn, type Source } from './question.ts';
import { WrongAnswer } from './wrong-answer.ts';

const CONTAINERD = 'containerd/containerd';
const CRI_TOOLS = 'kubernetes-sigs/cri-tools';
/** In bytes; RELEASES.md has 45 kB. */
const RELEASES_LIMIT = 512 * 1024;
const RUNC_LIMIT = 1024;
/** The most patches of a minor that are tried; no line of releases here has had more than 40. */
const MOST_PATCHES = 60;

/** Returns a stable version without `v`. Throws `WrongAnswer`. */
function stableVersion(text: string): string {
  const version = text.trim().replace(/^v/, '');
  if (!/^\d{1,4}\.\d{1,4}\.\d{1,4}$/.test(version)) {
    throw new WrongAnswer('its content is not a stable version');
  }
  return version;
}

/** Asks upstream about the releases of components. All versions are without `v`. */
export class ReleaseQuestions {
  readonly #client: MakerClient;

  constructor(client: MakerClient) {
    this.#client = client;
  }

  /** Returns the newest release of a repository of github.com, by the redirect, or by GitHub's API if there is a token. */
  latest(repository: string, signal: AbortSignal): Promise<Asked<string>> {
    const project = repository.slice(repository.indexOf('/') + 1);
    const name = `releases/latest of ${project}`;
    const sources: Source<string>[] = [
      { name, ask: async () => stableVersion(await this.#client.latestTag(repository, signal)) },
      {
        name: `${name}, by GitHub's API`,
        isFor: () => this.#client.hasToken,
        ask: async () => stableVersion(await this.#client.toldLatestTag(repository, signal)),
      },
    ];
    return askInTurn(sources, signal);
  }

  /** Returns the rows for each minor of Kubernetes in containerd's RELEASES.md, the oldest first. */
  containerdSupport(signal: AbortSignal): Promise<Asked<readonly ContainerdSupport[]>> {
    const ask = async (): Promise<readonly ContainerdSupport[]> => {
      const rows = readContainerdSupport(await this.#rawFile('main', 'RELEASES.md', RELEASES_LIMIT, signal));
      if (rows !== undefined) return rows;
      throw new WrongAnswer('its table of Kubernetes versions has an unknown format');
    };
    return askInTurn([{ name: "containerd's RELEASES.md", ask }], signal);
  }

  /** Returns the runc that belongs to a release of containerd. */
  runcOf(containerd: string, signal: AbortSignal): Promise<Asked<string>> {
    const path = 'script/setup/runc-version';
    const ask = async (): Promise<string> =>
      stableVersion(await this.#rawFile(`v${containerd}`, path, RUNC_LIMIT, signal));
    return askInTurn([{ name: `the runc of containerd ${containerd}`, ask }], signal);
  }

  /** Returns the newest released patch of a line, searching upwards from one. Patches have no gaps. */
  async newestPatch(
    name: 'containerd' | 'crictl',
    first: string,
    signal: AbortSignal,
  ): Promise<Asked<string>> {
    let found: string | undefined;
    const { major, minor, patch } = semver.parse(first) ?? { major: 0, minor: 0, patch: 0 };
    for (let next = patch; next < patch + MOST_PATCHES; next += 1) {
      const version = `${major}.${minor}.${next}`;
      const { found: isThere, troubles } = await askInTurn(
        [{ name: `${name} ${version}`, ask: () => this.#isReleased(name, version, signal) }],
        signal,
      );
      if (isThere !== true) return { found, troubles };
      found = version;
    }
    return { found, troubles: [] };
  }

  /** Requests a checksum, because mirrors of downloads have these too. */
  async #isReleased(name: 'containerd' | 'crictl', version: string, signal: AbortSignal): Promise<boolean> {
    const [repository, file, suffix] =
      name === 'containerd'
        ? [CONTAINERD, `containerd-${version}-linux-amd64.tar.gz`, 'sha256sum']
        : [CRI_TOOLS, `crictl-v${version}-linux-amd64.tar.gz`, 'sha256'];
    const url = new URL(`https://github.com/${repository}/releases/download/v${version}/${file}.${suffix}`);
    const text = await this.#client.text(url, CHECKSUM_FILE_LIMIT, signal);
    if (text === undefined) return false;
    findChecksum(text, file, url.href);
    return true;
  }
  async #rawFile(revision: string, path: string, limit: number, signal: AbortSignal): Promise<string> {
    const url = new URL(`https://raw.githubusercontent.com/${CONTAINERD}/${revision}/${path}`);
    const text = await this.#client.text(url, limit, signal);
    if (text === undefined) throw new WrongAnswer('there is no such file');
    return text;
  }
}
