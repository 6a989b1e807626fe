import semver from 'semver';
import { architecturesIn } from '../../config/kubernetes/architecture.ts';
import { kubeadmImages } from '../../config/kubernetes/kubeadm-images.ts';
import { kubernetesMinor } from '../../config/kubernetes/kubernetes-version.ts';
import { expandUri, parseUriTemplate, usesField } from '../../config/uri-template.ts';
import type { ComponentEntry, Versions } from '../../config/versions.ts';
import { Failure } from '../../lib/failure.ts';
import { nearestName } from '../../lib/text/nearest.ts';
import { parseTag, type Tag } from '../../registry/oci/reference.ts';
import { checkOf } from './component-check.ts';
import { matchingTag, matrixRow } from './component-matrix.ts';
import { placementOf } from './component-placement.ts';
import type { Findings } from './findings.ts';
import {
  isKubernetesComponent,
  type KnownComponent,
  knownComponent,
  knownComponentNames,
} from './known-component.ts';
import type { ComponentPlan } from './plan.ts';
import type { Choice } from './resolution.ts';

function automaticTag(name: string, choice: Choice): Tag | undefined {
  if (name !== 'etcd') return matchingTag(name, choice.version);
  const image = kubeadmImages(choice.version)?.tags.etcd;
  return image === undefined ? undefined : parseTag(image.replace(/-\d+$/, ''));
}

function tagOf(entry: ComponentEntry, name: string, choice: Choice, findings: Findings): Tag | undefined {
  if (isKubernetesComponent(name)) {
    return parseTag(`${entry.tag.startsWith('v') ? 'v' : ''}${choice.version}`);
  }
  if (entry.tag !== 'auto') return entry.tag;
  const tag = automaticTag(name, choice);
  if (tag === undefined) {
    findings.problem(
      entry.place('tag'),
      `which ${entry.name} goes with Kubernetes ${choice.version} is not known here; write its tag`,
    );
  }
  return tag;
}

/** A pin that does not fit is an error when the version was changed from outside, else the file's own affair. */
function checkFit(entry: ComponentEntry, name: string, tag: Tag, choice: Choice, findings: Findings): void {
  const version = semver.coerce(tag, { includePrerelease: true });
  const row = matrixRow(choice.version);
  if (entry.tag === 'auto' || version === null || row === undefined) return;
  const minor = kubernetesMinor(choice.version);
  const isUnfit =
    (name === 'containerd' &&
      !semver.satisfies(version, row.supportedContainerd, { includePrerelease: true })) ||
    (name === 'crictl' && version.minor !== minor);
  if (!isUnfit) return;
  const wanted =
    name === 'crictl'
      ? `crictl 1.${minor} belongs to it`
      : `it works with containerd ${row.supportedContainerd}`;
  const message = `${entry.name} ${tag} does not go with Kubernetes ${choice.version}: ${wanted}`;
  if (choice.replaced === undefined) findings.notice(message, entry.place('tag'));
  else findings.problem(entry.place('tag'), `${message}; write another tag, or "auto"`);
}

function bareVersion(tag: string): string {
  return tag.replace(/^v(?=\d)/, '');
}

/** An address with a version or an architecture written out must not name another one. */
function checkAddress(entry: ComponentEntry, url: URL, tag: Tag, choice: Choice, findings: Findings): void {
  if (entry.uri === undefined) return;
  const architectures = architecturesIn(url.pathname);
  if (!usesField(entry.uri, 'Arch') && architectures.length > 0 && !architectures.includes(choice.arch)) {
    findings.problem(
      entry.place('uri'),
      `this is for ${architectures.join(', ')}, the package is for ${choice.arch}; write {{.Arch}} in its place`,
    );
  }
  const versions: readonly string[] = url.pathname.match(/(?<!\d)\d+\.\d+\.\d+/g) ?? [];
  const core = /(?<!\d)\d+\.\d+\.\d+/.exec(tag)?.[0];
  if (!usesField(entry.uri, 'Tag') && core !== undefined && versions.length > 0 && !versions.includes(core)) {
    findings.problem(
      entry.place('uri'),
      `this is version ${versions.join(', ')}, the tag says ${tag}; write {{.Tag}} in its place`,
    );
  }
}

function urlOf(
  entry: ComponentEntry,
  known: KnownComponent | undefined,
  tag: Tag,
  choice: Choice,
  findings: Findings,
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

/** Returns what to download for each component of a file, for one version of Kubernetes and one architecture. */
export function resolveComponents(versions: Versions, choice: Choice, findings: Findings): ComponentPlan[] {
  const plans = versions.components.flatMap((entry): ComponentPlan[] => {
    const known = knownComponent(entry.name);
    const name = known?.name ?? entry.name;
    const tag = tagOf(entry, name, choice, findings);
    // Any tag will do to find out whether the rest of the entry is right.
    const url = urlOf(entry, known, tag ?? parseTag('0.0.0'), choice, findings);
    if (tag === undefined || url === undefined) return [];
    checkFit(entry, name, tag, choice, findings);
    checkAddress(entry, url, tag, choice, findings);
    const check = checkOf(entry, known, url, choice, versions.arch, findings);
    const placement = placementOf(entry, known, url, bareVersion(tag), choice.arch);
    const fileName = fileNameOf(entry.name, tag, choice.arch, url);
    return check === undefined
      ? []
      : [{ name: entry.name, tag, url, fileName, check, placement, place: entry.place() }];
  });
  const taken = new Map<string, string>();
  for (const { name, placement, place } of plans) {
    if (placement.kind !== 'file') continue;
    const known = taken.get(placement.path.toLowerCase());
    if (known === undefined) taken.set(placement.path.toLowerCase(), name);
    else findings.problem(place, `${name} and ${known} would both be ${placement.path} in the package`);
  }
  return plans;
}
