import semver from 'semver';
import { architecturesIn } from '../../config/kubernetes/architecture.ts';
import { kubernetesMinor } from '../../config/kubernetes/kubernetes-version.ts';
import { parseTreePath } from '../../config/tree-path.ts';
import { expandUri, parseUriTemplate, usesField } from '../../config/uri-template.ts';
import type { ComponentEntry } from '../../config/versions.ts';
import { Failure } from '../../lib/failure.ts';
import { nearestName } from '../../lib/text/nearest.ts';
import { parseTag, type Tag } from '../../registry/oci/reference.ts';
import { matrixRow } from './component-matrix.ts';
import { addonPath } from './known-addon.ts';
import {
  isKubernetesComponent,
  type KnownComponent,
  knownComponent,
  knownComponentNames,
} from './known-component.ts';
import type { AddonPlan, ChecksumSource, ComponentCheck, ComponentPlan, Placement } from './plan.ts';
import { withTroubles } from './release-knowledge.ts';
import { automaticTag, type Choice, type Resolution, type ResolvedTag } from './resolution.ts';

/** Where projects that are not known here publish checksums, the commonest place first. */
const USUAL_PLACES: readonly KnownComponent['checksum'][] = [
  { suffix: '.sha256' },
  { suffix: '.sha256sum' },
  { suffix: '.sha512' },
  { list: 'SHA256SUMS' },
  { list: 'checksums.txt' },
];
const ARCHIVE = /\.(?:tar\.gz|tgz)$/i;
const NOT_A_PROGRAM =
  /\.(?:tar|tar\.gz|tgz|tar\.xz|tar\.zst|zip|deb|rpm|ya?ml|json|toml|conf|txt|md|sig|asc|pem|crt)$/i;

/** An entry whose tag and address are found. */
interface LocatedEntry {
  readonly entry: ComponentEntry;
  /** What is known of the component; undefined for one that only the versions.json describes. */
  readonly known: KnownComponent | undefined;
  readonly tag: Tag;
  readonly origin: string | undefined;
  readonly url: URL;
}

/** Returns the tag of the programs of the etcd that kubeadm uses. */
function etcdTag(
  { place, problem }: Parameters<typeof automaticTag>[1],
  { choice, knowledge, findings }: Resolution,
): ResolvedTag | undefined {
  const answer = knowledge.kubeadm(choice.version);
  const { kubeadm: troubles } = knowledge.troubles;
  if (answer === undefined) {
    findings.gap(place, withTroubles(problem, troubles));
    return undefined;
  }
  const { tags, origin, warning } = answer;
  if (warning !== undefined) findings.notice(withTroubles(warning, troubles), place);
  return { tag: parseTag(tags.etcd.replace(/-\d+$/, '')), origin };
}

/**
 * Returns the tag of an entry; undefined, with a problem, if `auto` has no answer. `name` is the component's proper
 * name.
 */
function tagOf(entry: ComponentEntry, name: string, resolution: Resolution): ResolvedTag | undefined {
  const { version } = resolution.choice;
  if (isKubernetesComponent(name)) {
    return { tag: parseTag(`${entry.tag.startsWith('v') ? 'v' : ''}${version}`) };
  }
  if (entry.tag !== 'auto') return { tag: entry.tag };
  const problem = `packer does not know which ${entry.name} matches Kubernetes ${version}; set its tag`;
  const told = { place: entry.place('tag'), problem };
  return name === 'etcd' ? etcdTag(told, resolution) : automaticTag(name, told, resolution);
}

/**
 * Reports a tag that does not match: as an error if `--kube-version` asks for another version than the file, else as a
 * notice.
 */
function checkFit({ entry, known, tag }: LocatedEntry, { choice, findings }: Resolution): void {
  const version = semver.coerce(tag, { includePrerelease: true });
  const row = matrixRow(choice.version);
  if (entry.tag === 'auto' || version === null || row === undefined) return;
  const minor = kubernetesMinor(choice.version);
  const isUnfit =
    (known?.name === 'containerd' &&
      !semver.satisfies(version, row.supportedContainerd, { includePrerelease: true })) ||
    (known?.name === 'crictl' && version.minor !== minor);
  if (!isUnfit) return;
  const wanted =
    known?.name === 'crictl'
      ? `crictl 1.${minor} matches it`
      : `it works with containerd ${row.supportedContainerd}`;
  const message = `${entry.name} ${tag} does not match Kubernetes ${choice.version}: ${wanted}`;
  if (choice.replaced === undefined) findings.notice(message, entry.place('tag'));
  else findings.problem(entry.place('tag'), `${message}; set another tag, or "auto"`);
}

function bareVersion(tag: string): string {
  return tag.replace(/^v(?=\d)/, '');
}

/** Words that mean an architecture only after the name of the system: `arm` is a company, a limb and more. */
const COMMON_WORDS: ReadonlySet<string> = new Set(['arm', '386']);

/** Returns the architectures that the path of an address names. */
function architecturesAt(path: string): string[] {
  return architecturesIn(path).filter(
    (word) => !COMMON_WORDS.has(word) || new RegExp(`linux[^a-z0-9]${word}(?![a-z0-9])`, 'i').test(path),
  );
}

/** Makes sure that an address does not spell out another version or architecture. */
function checkAddress({ entry, url, tag }: LocatedEntry, { choice, findings }: Resolution): void {
  if (entry.uri === undefined) return;
  const architectures = architecturesAt(url.pathname);
  if (!usesField(entry.uri, 'Arch') && architectures.length > 0 && !architectures.includes(choice.arch)) {
    findings.problem(
      entry.place('uri'),
      `this is for ${architectures.join(', ')}, but the package is for ${choice.arch}; write {{.Arch}} instead`,
    );
  }
  const versions: readonly string[] = url.pathname.match(/(?<!\d)\d+\.\d+\.\d+/g) ?? [];
  const core = /(?<!\d)\d+\.\d+\.\d+/.exec(tag)?.[0];
  if (!usesField(entry.uri, 'Tag') && core !== undefined && versions.length > 0 && !versions.includes(core)) {
    findings.problem(
      entry.place('uri'),
      `this is version ${versions.join(', ')}, but the tag is ${tag}; write {{.Tag}} instead`,
    );
  }
}

/** Returns the address of an entry; undefined, with a problem, if there is none. */
function urlOf(
  entry: ComponentEntry,
  known: KnownComponent | undefined,
  tag: Tag,
  { choice, findings }: Resolution,
): URL | undefined {
  try {
    if (entry.uri !== undefined) return expandUri(entry.uri, { tag, arch: choice.arch });
    if (known !== undefined) {
      return expandUri(parseUriTemplate(known.uri), { tag: bareVersion(tag), arch: choice.arch });
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    findings.problem(entry.place('uri'), error.message);
    return undefined;
  }
  const near = nearestName(entry.name, knownComponentNames());
  findings.problem(
    entry.place('name'),
    `unknown component "${entry.name}"${near === undefined ? '' : `; did you mean "${near}"?`}; ` +
      `known are ${knownComponentNames().join(', ')}; any other needs a "uri"`,
  );
  return undefined;
}

function fileNameOf(name: string, tag: Tag, arch: string, url: URL): string {
  const ending = /\.(?:tar\.gz|tgz|tar\.xz|tar\.zst|zip)$/i.exec(url.pathname)?.[0] ?? '';
  return `${name}-${tag}-${arch}${ending.toLowerCase()}`;
}

function lastPart(url: URL): string {
  return url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
}

function sourceAt(url: URL, checksum: KnownComponent['checksum']): ChecksumSource {
  const beside = new URL(url);
  beside.pathname =
    'suffix' in checksum
      ? `${url.pathname}${checksum.suffix}`
      : `${url.pathname.slice(0, -lastPart(url).length)}${checksum.list}`;
  return { url: beside, fileName: lastPart(url) };
}

/** Returns the places where the checksum of any download may be published. */
export function usualSources(url: URL): ChecksumSource[] {
  return USUAL_PLACES.map((place) => sourceAt(url, place));
}

/**
 * Returns how a download is checked; undefined, with a problem, if its pin belongs to another version or architecture.
 */
function checkOf(
  { entry, known, url }: LocatedEntry,
  { choice, findings }: Resolution,
): ComponentCheck | undefined {
  const { sha256 } = entry;
  const { fileArch } = choice;
  if (sha256 === 'none') return { kind: 'none' };
  if (sha256 === undefined) {
    const sources = known === undefined ? usualSources(url) : [sourceAt(url, known.checksum)];
    return { kind: 'published', sources };
  }
  if (choice.replaced !== undefined && isKubernetesComponent(entry.name)) {
    findings.problem(
      entry.place('sha256'),
      `this sha256 belongs to Kubernetes ${choice.replaced}, but the package is for ${choice.version}; ` +
        'remove it to verify against the published checksum',
    );
    return undefined;
  }
  if (typeof sha256 === 'string') {
    if (fileArch === undefined || fileArch === choice.arch) return { kind: 'pin', digest: sha256 };
    findings.problem(
      entry.place('sha256'),
      `this sha256 belongs to ${fileArch}, but the package is for ${choice.arch}; ` +
        `write {"${fileArch}": "…", "${choice.arch}": "…"}, or remove it to verify against the published checksum`,
    );
    return undefined;
  }
  const digest = sha256.get(choice.arch);
  if (digest !== undefined) return { kind: 'pin', digest };
  findings.problem(
    entry.place('sha256'),
    `there is no sha256 for ${choice.arch}, the architecture of the package`,
  );
  return undefined;
}

function filePlacement(path: string, url: URL): Placement {
  const tree = parseTreePath(path, path);
  return { kind: 'file', path: tree, executable: !NOT_A_PROGRAM.test(url.pathname) };
}

/**
 * Returns where a component goes. A path of the file that ends in `/` is a folder: archives are unpacked into it, other
 * files are put into it by the component's name. Any other path is the file itself. Without a path, known components
 * have their own place, programs go to `kubernetes/bin`, and any other file goes to `components` unchanged.
 */
function placementOf({ entry, known, url, tag }: LocatedEntry, { arch }: Choice): Placement {
  const { path } = entry;
  if (path !== undefined && !path.folder) return filePlacement(path.path, url);
  const content = known?.content(bareVersion(tag), arch);
  if (content?.kind === 'archive') {
    const folder = parseTreePath(path?.path ?? known?.folder ?? 'components', entry.name);
    return { kind: 'archive', folder, strip: content.strip, only: content.only };
  }
  if (content?.kind === 'file') return filePlacement(`${path?.path ?? known?.folder}/${content.name}`, url);
  if (path !== undefined) {
    return ARCHIVE.test(url.pathname)
      ? { kind: 'archive', folder: path.path, strip: '' }
      : filePlacement(`${path.path}/${entry.name}`, url);
  }
  const ending = NOT_A_PROGRAM.exec(url.pathname)?.[0];
  return ending === undefined
    ? filePlacement(`kubernetes/bin/${entry.name}`, url)
    : filePlacement(`components/${entry.name}${ending.toLowerCase()}`, url);
}

/** Returns the entry with its tag and address; undefined, with problems, if one of them cannot be found. */
function locate(entry: ComponentEntry, resolution: Resolution): LocatedEntry | undefined {
  const known = knownComponent(entry.name);
  const found = tagOf(entry, known?.name ?? entry.name, resolution);
  // With a made-up tag if there is none, so that problems of the address are reported too.
  const url = urlOf(entry, known, found?.tag ?? parseTag('0.0.0'), resolution);
  if (found === undefined || url === undefined) return undefined;
  return { entry, known, tag: found.tag, origin: found.origin, url };
}

function planOf(located: LocatedEntry, resolution: Resolution): ComponentPlan | undefined {
  const { entry, tag, origin, url } = located;
  const { choice } = resolution;
  checkFit(located, resolution);
  checkAddress(located, resolution);
  const check = checkOf(located, resolution);
  const placement = placementOf(located, choice);
  if (check === undefined) return undefined;
  const fileName = fileNameOf(entry.name, tag, choice.arch, url);
  return { name: entry.name, tag, origin, url, fileName, check, placement, place: entry.place() };
}

/** Makes sure that no component has the path of another one or of the manifest of an add-on. */
export function requireOwnPlaces(
  plans: readonly ComponentPlan[],
  addons: readonly AddonPlan[],
  { findings }: Resolution,
): void {
  const taken = new Map(addons.map(({ name }) => [addonPath(name), `the add-on ${name}`]));
  for (const { name, placement, place } of plans) {
    if (placement.kind !== 'file') continue;
    const known = taken.get(placement.path.toLowerCase());
    if (known === undefined) taken.set(placement.path.toLowerCase(), name);
    else
      findings.problem(
        place,
        `${name} and ${known} would both have the path ${placement.path} in the package`,
      );
  }
}

/** Returns what to download for each component of a file, for one version of Kubernetes and one architecture. */
export function resolveComponents(
  entries: readonly ComponentEntry[],
  resolution: Resolution,
): ComponentPlan[] {
  return entries.flatMap((entry) => {
    const located = locate(entry, resolution);
    return (located && planOf(located, resolution)) ?? [];
  });
}
