import semver from 'semver';
import { type ContainerdSupport, containerdRange } from '../config/kubernetes/containerd-support.ts';
import { type KubernetesVersion, kubernetesMinor } from '../config/kubernetes/kubernetes-version.ts';
import { RUNTIME_TABLE } from '../config/kubernetes/runtime-table.ts';
import { parseTag } from '../registry/oci/reference.ts';
import type { MakerClient } from './maker-client.ts';
import type { Asked, AskedComponents, LearntComponent } from './makers.ts';
import { ReleaseQuestions } from './release-questions.ts';

const CONTAINERD = 'containerd/containerd';
const CRI_TOOLS = 'kubernetes-sigs/cri-tools';
const CNI_PLUGINS = 'containernetworking/plugins';
/** The newest minor of Kubernetes with a container runtime in the built-in table. */
const NEWEST_KNOWN = Math.max(...RUNTIME_TABLE.map(({ minor }) => minor));

type Name = LearntComponent['name'];

/** Returns the oldest version of each line of releases in a range, the newest line first. */
function firstVersions(range: string): string[] {
  const oldest = range.split(' || ').flatMap((line) => semver.minVersion(line)?.version ?? []);
  return oldest.toSorted(semver.rcompare);
}

function component(name: Name, version: string, origin: string): LearntComponent {
  return { name, tag: parseTag(version), origin };
}

/** Asks which containerd, runc, crictl and CNI plugins go with a version of Kubernetes. */
export class ComponentQuestions {
  readonly #releases: ReleaseQuestions;

  constructor(client: MakerClient) {
    this.#releases = new ReleaseQuestions(client);
  }

  /** Returns what was found, and which sources had no answer. Throws the signal's reason. */
  async ask(version: KubernetesVersion, signal: AbortSignal): Promise<AskedComponents> {
    const minor = kubernetesMinor(version);
    const [runtime, crictl, plugins] = await Promise.all([
      this.#runtime(minor, signal),
      this.#crictl(minor, signal),
      this.#plugins(signal),
    ]);
    const answers = new Map([...runtime, ['crictl', crictl], ['cni-plugins', plugins]]);
    return {
      found: [...answers.values()].flatMap(({ found = [] }) => found),
      troubles: new Map([...answers].map(([name, { troubles }]) => [name, troubles])),
    };
  }

  async #plugins(signal: AbortSignal): Promise<Asked<LearntComponent>> {
    const { found, troubles } = await this.#releases.latest(CNI_PLUGINS, signal);
    const origin = 'releases/latest of plugins';
    return { found: found === undefined ? undefined : component('cni-plugins', found, origin), troubles };
  }

  /** Asks for containerd, and for the runc of that version. */
  async #runtime(minor: number, signal: AbortSignal): Promise<Map<Name, Asked<LearntComponent>>> {
    const [table, latest] = await Promise.all([
      this.#support(minor, signal),
      this.#releases.latest(CONTAINERD, signal),
    ]);
    const { found, troubles: last } = await this.#containerd(minor, table.found, latest.found, signal);
    const containerd = { found, troubles: [...table.troubles, ...latest.troubles, ...last] };
    const runc = found === undefined ? containerd : await this.#runc(found, signal);
    return new Map([
      ['containerd', containerd],
      ['runc', runc],
    ]);
  }

  async #runc({ tag }: LearntComponent, signal: AbortSignal): Promise<Asked<LearntComponent>> {
    const { found, troubles } = await this.#releases.runcOf(tag, signal);
    return {
      found: found === undefined ? undefined : component('runc', found, `containerd ${tag}`),
      troubles,
    };
  }

  async #support(minor: number, signal: AbortSignal): Promise<Asked<ContainerdSupport>> {
    const { found: rows, troubles } = await this.#releases.containerdSupport(signal);
    if (rows === undefined) return { found: undefined, troubles };
    // The row of the newest listed minor is also used for the next one, until upstream lists that.
    const row = rows.findLast((each) => each.minor <= minor);
    if (row?.minor === minor || row === rows.at(-1)) return { found: row, troubles };
    return {
      found: undefined,
      troubles: [`containerd's RELEASES.md: it does not mention Kubernetes 1.${minor}`],
    };
  }

  /** The newest release if it is among those that upstream names for this Kubernetes, else the newest of these. */
  async #containerd(
    minor: number,
    support: ContainerdSupport | undefined,
    latest: string | undefined,
    signal: AbortSignal,
  ): Promise<Asked<LearntComponent>> {
    const range = support && containerdRange(support);
    if (support === undefined || range === undefined) {
      // The minor may be too old for the newest containerd.
      const isTaken = latest !== undefined && minor > NEWEST_KNOWN;
      const origin = 'releases/latest of containerd';
      return { found: isTaken ? component('containerd', latest, origin) : undefined, troubles: [] };
    }
    const origin =
      support.minor === minor
        ? "containerd's RELEASES.md"
        : `containerd's RELEASES.md for Kubernetes 1.${support.minor}`;
    if (latest !== undefined && semver.satisfies(latest, range)) {
      return { found: component('containerd', latest, origin), troubles: [] };
    }
    const troubles: string[] = [];
    for (const first of firstVersions(range)) {
      const newest = await this.#releases.newestPatch('containerd', first, signal);
      troubles.push(...newest.troubles);
      if (newest.found !== undefined) {
        return { found: component('containerd', newest.found, origin), troubles };
      }
    }
    return { found: undefined, troubles };
  }

  /** The newest crictl of the minor of Kubernetes; else the newest of all, with a notice. */
  async #crictl(minor: number, signal: AbortSignal): Promise<Asked<LearntComponent>> {
    const latest = await this.#releases.latest(CRI_TOOLS, signal);
    const { found: newest } = latest;
    const origin = 'releases/latest of cri-tools';
    if (newest !== undefined && semver.minor(newest) === minor) {
      return { found: component('crictl', newest, origin), troubles: latest.troubles };
    }
    const patch = await this.#releases.newestPatch('crictl', `1.${minor}.0`, signal);
    const troubles = [...latest.troubles, ...patch.troubles];
    if (patch.found !== undefined) {
      return { found: component('crictl', patch.found, 'releases of cri-tools'), troubles };
    }
    const isOlder = newest !== undefined && semver.minor(newest) < minor;
    const none = `crictl: there is no 1.${minor} yet`;
    if (!isOlder)
      return { found: undefined, troubles: patch.troubles.length > 0 ? troubles : [...troubles, none] };
    return {
      found: component('crictl', newest, origin),
      troubles: [...troubles, `${none}, so packer uses ${newest}`],
    };
  }
}
