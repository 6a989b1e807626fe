import { Failure } from '../../lib/failure.ts';
import type { FileEntry } from '../archive/entry.ts';
import { CONTAINERD_PROGRAM } from './overlay.ts';

/** A group of files that install.sh looks up as one. It determines which services a changed file affects. */
type Part =
  | 'containerd'
  | 'runc'
  | 'kubelet'
  | 'kubeadm'
  | 'kubectl'
  | 'crictl'
  | 'cni'
  | 'settings'
  | 'bridge-network'
  | 'program';

/** One row of install/files: where a file of the package is placed on a machine, or a folder that is made there. */
interface PlacedRow {
  /** Such as `0755`; for a folder, such as `d0755`. */
  readonly mode: string;
  readonly part: Part;
  /** Its path in the package; `-` for a folder. */
  readonly source: string;
  readonly place: string;
}

/** A file or folder of the configuration, which is installed if the package contains `needs`. */
interface ConfigurationRow {
  readonly part: Part;
  /** Undefined for a folder. */
  readonly source?: string | undefined;
  readonly place: string;
  /** The path of the program that it is for. */
  readonly needs?: string | undefined;
}

/** What install.sh needs to know about a package in addition to its files and images. */
interface InstallSettings {
  readonly kubernetes: string;
  readonly arch: string;
  /** The name in the package of the image that holds a pod's network; kubeadm's own if none is packed. */
  readonly pauseImage: string;
  /**
   * The other images that kubeadm uses, as far as they are packed: from kubeadm's names to the names in the package.
   */
  readonly kubeadmImages: ReadonlyMap<string, string>;
  /** Undefined if none is packed. */
  readonly containerd: string | undefined;
  /** The bytes that all images unpack to. */
  readonly imagesSize: number;
}

/** One row of install/addons: an add-on that is applied to a cluster. */
interface AddonRow {
  readonly name: string;
  /** The path of its manifest in the package. */
  readonly manifest: string;
  /** Undefined for one that sets up no pod network. */
  readonly podNetwork: string | undefined;
}

/** What the lists are made from. */
interface InstallParts {
  /** All files of the package but those of images. */
  readonly files: readonly FileEntry[];
  /** The names of the images, with the archive that each is in; undefined for those in the layout. */
  readonly images: ReadonlyMap<string, string | undefined>;
  readonly addons: readonly AddonRow[];
  readonly settings: InstallSettings;
}

const KUBELET_PROGRAM = 'kubernetes/bin/kubelet';

/** The folders whose programs are installed, and where to. */
const PROGRAM_FOLDERS: ReadonlyMap<string, string> = new Map([
  ['kubernetes/bin', '/usr/local/bin'],
  ['kubernetes/cni', '/opt/cni/bin'],
  ['runtime/containerd/bin', '/usr/local/bin'],
]);

const CONFIGURATION: readonly ConfigurationRow[] = [
  {
    part: 'containerd',
    source: 'runtime/containerd/conf/config.toml',
    place: '/etc/containerd/config.toml',
    needs: CONTAINERD_PROGRAM,
  },
  { part: 'containerd', place: '/etc/containerd/conf.d', needs: CONTAINERD_PROGRAM },
  {
    part: 'containerd',
    source: 'runtime/containerd/conf/containerd.service',
    place: '/etc/systemd/system/containerd.service',
    needs: CONTAINERD_PROGRAM,
  },
  { part: 'crictl', source: 'runtime/containerd/conf/crictl.yaml', place: '/etc/crictl.yaml' },
  {
    part: 'kubelet',
    source: 'kubernetes/conf/kubelet.service',
    place: '/etc/systemd/system/kubelet.service',
    needs: KUBELET_PROGRAM,
  },
  {
    part: 'kubelet',
    source: 'kubernetes/conf/10-kubeadm.conf',
    place: '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
    needs: KUBELET_PROGRAM,
  },
  // If this folder is missing, the kubelet of a machine without static pods logs an error again and again.
  { part: 'kubelet', place: '/etc/kubernetes/manifests', needs: KUBELET_PROGRAM },
  {
    part: 'settings',
    source: 'kubernetes/conf/sysctl.conf',
    // The last file by name wins, and Debian has 99-sysctl.conf, a link to /etc/sysctl.conf.
    place: '/etc/sysctl.d/99-zz-keel-kubernetes.conf',
  },
  {
    part: 'settings',
    source: 'kubernetes/conf/modules.conf',
    place: '/etc/modules-load.d/keel-kubernetes.conf',
  },
  {
    part: 'bridge-network',
    source: 'kubernetes/conf/cni/10-bridge.conflist',
    place: '/etc/cni/net.d/10-bridge.conflist',
  },
];

const PROGRAM_PARTS: ReadonlyMap<string, Part> = new Map<string, Part>([
  ['kubernetes/bin/kubeadm', 'kubeadm'],
  ['kubernetes/bin/kubectl', 'kubectl'],
  [KUBELET_PROGRAM, 'kubelet'],
  ['runtime/containerd/bin/crictl', 'crictl'],
  ['runtime/containerd/bin/ctr', 'containerd'],
  ['runtime/containerd/bin/runc', 'runc'],
]);

function partOf(folder: string, path: string): Part {
  if (folder === 'kubernetes/cni') return 'cni';
  // Including the shims, which must match their containerd.
  if (path === CONTAINERD_PROGRAM || path.startsWith(`${CONTAINERD_PROGRAM}-`)) return 'containerd';
  return PROGRAM_PARTS.get(path) ?? 'program';
}

function programRow({ path, mode }: FileEntry): PlacedRow[] {
  const end = path.lastIndexOf('/');
  const folder = path.slice(0, end);
  const to = PROGRAM_FOLDERS.get(folder);
  if (to === undefined || (mode & 0o100) === 0) return [];
  const place = `${to}/${path.slice(end + 1)}`;
  return [{ mode: '0755', part: partOf(folder, path), source: path, place }];
}

function configurationRow(
  { part, source, place, needs }: ConfigurationRow,
  paths: ReadonlySet<string>,
  programs: ReadonlySet<string>,
): PlacedRow[] {
  if (needs !== undefined && !programs.has(needs)) return [];
  if (source === undefined) return [{ mode: 'd0755', part, source: '-', place }];
  return paths.has(source) ? [{ mode: '0644', part, source, place }] : [];
}

/** Returns a row for each file of a package that is installed, sorted by place. Throws `PLACE_TAKEN`. */
function placedRows(entries: readonly FileEntry[]): PlacedRow[] {
  const paths = new Set(entries.map(({ path }) => path));
  const programs = entries.flatMap(programRow);
  const sources = new Set(programs.map(({ source }) => source));
  const configuration = CONFIGURATION.flatMap((row) => configurationRow(row, paths, sources));
  const rows = [...programs, ...configuration].toSorted((one, other) => (one.place < other.place ? -1 : 1));
  for (const [index, { place, source }] of rows.entries()) {
    const next = rows[index + 1];
    if (next?.place !== place) continue;
    throw new Failure({
      code: 'PLACE_TAKEN',
      fault: 'usage',
      about: place,
      message: `${source} and ${next.source} would both be installed at this path`,
      hint: 'remove one of them, or set another "path" for it in versions.json',
    });
  }
  return rows;
}

function table(rows: readonly (readonly (string | number)[])[], separator: string): string {
  return rows.map((row) => `${row.join(separator)}\n`).join('');
}

/**
 * Returns the lists that install.sh trusts, each with its path and text: `install/files` with the mode, part, path in
 * the package and place on the machine of each file that is installed, sorted by place; `install/images` with the names
 * of all images, each with the archive that it is in or `-`; `install/addons` with the name of each add-on, its
 * manifest, and its pod network or `-`; and `install/package.env` with the other settings. Throws `PLACE_TAKEN`.
 */
export function installLists({
  files,
  images,
  addons,
  settings,
}: InstallParts): [path: string, text: string][] {
  const rows = placedRows(files);
  const named = [...images].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const facts = [
    ['KUBERNETES_VERSION', settings.kubernetes],
    ['ARCH', settings.arch],
    ['PAUSE_IMAGE', settings.pauseImage],
    ...[...settings.kubeadmImages].map(([name, image]) => [
      `${name.toUpperCase().replaceAll('-', '_')}_IMAGE`,
      image,
    ]),
    ['CONTAINERD_VERSION', settings.containerd?.replace(/^v/, '') ?? ''],
    ['IMAGES_SIZE', settings.imagesSize],
  ];
  return [
    [
      'install/files',
      table(
        rows.map(({ mode, part, source, place }) => [mode, part, source, place]),
        '\t',
      ),
    ],
    [
      'install/images',
      table(
        named.map(([name, archive]) => [name, archive ?? '-']),
        '\t',
      ),
    ],
    [
      'install/addons',
      table(
        addons
          .toSorted((one, other) => (one.name < other.name ? -1 : 1))
          .map(({ name, manifest, podNetwork }) => [name, manifest, podNetwork ?? '-']),
        '\t',
      ),
    ],
    ['install/package.env', table(facts, '=')],
  ];
}
