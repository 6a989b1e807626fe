import { formatPlace } from '../../config/problem.ts';
import { policyFor } from '../../config/signature-policy.ts';
import type { UpstreamMirror } from '../../config/upstream-mirror.ts';
import { alignColumns } from '../../lib/text/columns.ts';
import { countOf, joinWords } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { withoutTrailing } from '../../lib/text/trailing.ts';
import { redactUrl } from '../../registry/endpoint.ts';
import { shortDigest } from '../../registry/oci/digest.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import {
  countUnchecked,
  describeCheck,
  describeImageCheck,
  type PackageContents,
  uncheckedLines,
  uncheckedParts,
} from '../contents/package-contents.ts';
import type { FetchedComponent } from '../fetch/component-fetch.ts';
import type { CheckedImage, ComparedImage } from '../fetch/image-fetch.ts';
import { isAtMaker } from '../plan/image-source.ts';
import type { AddonPlan, ComponentCheck, ComponentPlan, ImagePlan, PackagePlan } from '../plan/plan.ts';
import type { ChosenKubernetes } from './kubernetes-choice.ts';

/**
 * Returns the line for a fetched image: `registry.k8s.io/pause:3.10.2 from mirror.example.com/keel/pause:3.10.2, 318
 * KiB, …`.
 */
export function fetchedImageLine({ image, check, signature }: CheckedImage, bytes: number): string {
  const upstream = formatReference(image.upstream);
  const pulledBy = formatReference(image.pulledBy);
  const from = pulledBy === upstream ? '' : ` from ${pulledBy}`;
  return `${upstream}${from}, ${formatSize(bytes)}, ${describeImageCheck({ check, signature })}`;
}

/** Returns a warning for each reason why images have no trusted signature. */
export function unsignedWarnings(images: readonly ComparedImage[]): string[] {
  const unsigned = images.flatMap(({ image, verification }) =>
    verification?.kind === 'unverified' ? [{ name: formatReference(image.upstream), ...verification }] : [],
  );
  return [...Map.groupBy(unsigned, ({ reason }) => reason)].map(([reason, group]) => {
    const names = group.map(({ name }) => name).join(', ');
    return `${countOf(group.length, 'image')} without a valid signature: ${reason}: ${names}`;
  });
}

/** Returns the line about which images need a signature. */
export function signaturePlanLine(plan: PackagePlan, mode: 'warn' | 'require'): string {
  const unasked = plan.images.filter(
    ({ upstream }) => policyFor(plan.signatures, upstream)?.policy.kind === 'off',
  ).length;
  const asked = countOf(plan.images.length - unasked, 'image');
  const how = mode === 'require' ? `required for ${asked}` : `looked up for ${asked}`;
  return `signatures: ${how}${unasked === 0 ? '' : `, not for ${unasked} whose registry is "off"`}`;
}

/** Returns the line for a fetched component: `kubelet 1.37.1, 58 MiB, checksum published at https://…`. */
export function fetchedComponentLine({ plan, size, check, mirror }: FetchedComponent): string {
  const from = mirror === undefined ? '' : ` from ${mirror}`;
  return `${plan.name} ${plan.tag}${from}, ${formatSize(size)}, ${describeCheck(check)}`;
}

/** Returns the line about which version a word means: `Kubernetes latest is 1.38.0 (dl.k8s.io)`. */
export function chosenLine({ word, version, origin }: ChosenKubernetes): string {
  return `Kubernetes ${word} is ${version} (${origin})`;
}

/** Returns where a tag for a Kubernetes comes from; empty for a tag that was given. */
export function tagOriginWords(origin: string | undefined): string[] {
  return origin === undefined ? [] : [`tag from ${origin}`];
}

function plannedImageLine({ upstream, digest, origin, candidates }: ImagePlan): string {
  const name = formatReference(upstream);
  const pulled = candidates[0] === undefined ? name : formatReference(candidates[0].reference);
  const from = pulled === name ? '' : ` from ${pulled}`;
  const others = candidates.length > 1 ? ` (or ${candidates.length - 1} other names)` : '';
  const isOwn = candidates[0] !== undefined && isAtMaker(candidates[0].reference, upstream, false);
  const check =
    digest !== undefined
      ? `pinned to ${digest}`
      : isOwn
        ? `same as at ${upstream.host}`
        : `compared with ${upstream.host} if it can be reached`;
  return `${name}${from}${others}; ${[check, ...tagOriginWords(origin)].join('; ')}`;
}

function plannedCheck(check: ComponentCheck): string {
  switch (check.kind) {
    case 'pin':
      return `pinned to ${check.digest}`;
    case 'known':
      return `verified with the digest built into packer, ${check.digest}`;
    case 'published':
      return `checksum at ${check.sources.map(({ url }) => redactUrl(url)).join(', else ')}`;
    case 'none':
      return 'not verified';
  }
}

function plannedComponentLine({ name, tag, origin, url, check }: ComponentPlan): string {
  return [`${name} ${tag} from ${redactUrl(url)}`, plannedCheck(check), ...tagOriginWords(origin)].join('; ');
}

/** Returns the name of an add-on with its version, or with its path if it is the user's own. */
function addonTitle({ name, tag, source }: AddonPlan): string {
  return `${name} ${tag ?? (source.kind === 'own' ? source.written : '')}`.trim();
}

function plannedAddonLine(addon: AddonPlan): string {
  const { source, manifest } = addon;
  const from =
    source.kind === 'own'
      ? 'a manifest of your own'
      : `from ${redactUrl(source.url)}; ${plannedCheck(source.check)}`;
  const network = manifest?.podNetwork === undefined ? [] : [`pod addresses ${manifest.podNetwork.range}`];
  return [
    `${addonTitle(addon)} ${from}`,
    ...tagOriginWords(addon.origin),
    ...network,
    ...(manifest?.edits ?? []),
  ].join('; ');
}

/** Returns a line for each image, component and add-on: from where it is fetched and how it is checked. */
export function planLines(plan: PackagePlan): {
  readonly images: string[];
  readonly components: string[];
  readonly addons: string[];
} {
  return {
    images: plan.images.map(plannedImageLine),
    components: plan.components.map(plannedComponentLine),
    addons: plan.addons.map(plannedAddonLine),
  };
}

/**
 * Returns a plan as aligned columns for a terminal, with what all rows have in common in the headings. `plainPlan` has
 * what the columns leave out.
 */
export function planColumns(
  { kubernetes, arch, images, components, addons }: PackagePlan,
  chosen?: ChosenKubernetes,
): string[] {
  const pulls = images.map(({ upstream, digest, origin, candidates }) => {
    const pulled = candidates[0]?.reference ?? upstream;
    return { upstream, digest, origin, pulled, isOwn: isAtMaker(pulled, upstream, false) };
  });
  const [host, ...otherHosts] = new Set(pulls.map(({ pulled }) => pulled.host));
  const isMirror = pulls.some(({ isOwn }) => !isOwn);
  const from = isMirror && otherHosts.length === 0 ? ` from ${host}` : '';
  const compared = isMirror ? ', compared with their upstream registries if those can be reached' : '';
  const imageRows = pulls.map(({ upstream, digest, origin, pulled, isOwn }) => [
    `  ${formatReference(upstream)}`,
    isOwn ? '' : `as ${pulled.repository}`,
    digest === undefined ? '' : `pinned to ${shortDigest(digest)}`,
    ...tagOriginWords(origin),
  ]);
  const [check, ...otherChecks] = new Set(components.map((component) => CHECKS[component.check.kind]));
  const isAlike = check !== undefined && otherChecks.length === 0;
  const componentRows = components.map((component) => [
    `  ${component.name}`,
    component.tag,
    ...(isAlike ? [] : [CHECKS[component.check.kind]]),
    redactUrl(component.url),
    ...tagOriginWords(component.origin),
  ]);
  return [
    `Kubernetes ${kubernetes} for ${arch}${chosen === undefined ? '' : `, which is ${chosen.word} (${chosen.origin})`}`,
    `${countOf(images.length, 'image')}${from}${compared}`,
    ...alignColumns(imageRows),
    `${countOf(components.length, 'component')}${isAlike ? `, ${check}` : ''}`,
    ...alignColumns(componentRows),
    ...addonRows(addons),
  ];
}

/**
 * Returns which upstream hosts are replaced by mirrors: `through mirrors: dl.k8s.io and github.com at https://…`;
 * undefined if none are.
 */
export function mirrorLine(
  { components, addons }: Pick<PackagePlan, 'components' | 'addons'>,
  mirror: UpstreamMirror,
): string | undefined {
  const downloads = addons.flatMap(({ source }) => (source.kind === 'own' ? [] : [source.url]));
  const mapped = [...components.map(({ url }) => url), ...downloads].filter((url) => mirror.isMapped(url));
  if (mapped.length === 0) return undefined;
  const byMirror = Map.groupBy(mapped, (url) => withoutTrailing(mirror.baseOf(url)?.href ?? '', '/'));
  const parts = [...byMirror].map(
    ([base, urls]) => `${joinWords([...new Set(urls.map(({ host }) => host))])} at ${base}`,
  );
  return `through ${parts.length === 1 ? 'a mirror' : 'mirrors'}: ${parts.join(', ')}`;
}

/** Returns the rows of add-ons, each followed by the changes to its manifest. */
function addonRows(addons: readonly AddonPlan[]): string[] {
  if (addons.length === 0) return [];
  const rows = addons.map(({ name, tag, origin, source, manifest }) => [
    `  ${name}`,
    tag ?? '',
    source.kind === 'own' ? source.written : redactUrl(source.url),
    source.kind === 'own' ? 'your own' : CHECKS[source.check.kind],
    manifest?.podNetwork === undefined ? '' : `pods in ${manifest.podNetwork.range}`,
    ...tagOriginWords(origin),
  ]);
  const lines = alignColumns(rows).flatMap((line, index) => [
    line,
    ...(addons[index]?.manifest?.edits ?? []).map((edit) => `    edited: ${edit}`),
  ]);
  return [countOf(addons.length, 'add-on'), ...lines];
}

const CHECKS = {
  pin: 'pinned',
  known: 'verified with a digest built into packer',
  published: 'verified with a published checksum',
  none: 'not verified',
} as const;

function plainCheck(check: ComponentCheck): unknown {
  if (check.kind !== 'published') return check;
  return { kind: check.kind, sources: check.sources.map((source) => redactUrl(source.url)) };
}

/** Returns the plan for `--json`. */
export function plainPlan(plan: PackagePlan, chosen?: ChosenKubernetes): unknown {
  return {
    package: plan.fileName,
    kubernetes: plan.kubernetes,
    wanted: chosen && { word: chosen.word, origin: chosen.origin },
    arch: plan.arch,
    images: plan.images.map(({ name, upstream, digest, origin, candidates }) => ({
      name,
      origin,
      upstream: formatReference(upstream),
      digest,
      candidates: candidates.map(({ reference }) => formatReference(reference)),
    })),
    components: plan.components.map(({ name, tag, origin, url, check }) => ({
      name,
      tag,
      origin,
      url: redactUrl(url),
      check: plainCheck(check),
    })),
    addons: plan.addons.map(({ name, tag, origin, source, manifest }) => ({
      name,
      tag,
      origin,
      ...(source.kind === 'own'
        ? { manifest: source.written }
        : { url: redactUrl(source.url), check: plainCheck(source.check) }),
      podNetwork: manifest?.podNetwork?.range,
      images: manifest?.images.map((image) => formatReference(image.name)),
      edits: manifest?.edits,
    })),
    notices: plan.notices.map(({ text, place }) =>
      place === undefined ? text : `${formatPlace(place)}: ${text}`,
    ),
  };
}

/** Returns the headline of a package: `kube-1.37.1-amd64.tar.gz: 612 MiB with 10 images and 7 components`, and its add-ons if it has any. */
export function packageHeadline(contents: PackageContents, size: number): string {
  const { images, components, addons } = contents;
  const parts = [
    countOf(images.length, 'image'),
    countOf(components.length, 'component'),
    ...(addons.length === 0 ? [] : [countOf(addons.length, 'add-on')]),
  ];
  return `${contents.package}: ${formatSize(size)} with ${joinWords(parts)}`;
}

/** Returns the warning about parts that only their source verifies; undefined if there are none. */
export function uncheckedWarning(contents: PackageContents): string | undefined {
  const parts = uncheckedParts(contents);
  if (parts.length === 0) return undefined;
  const are = countOf(parts.length, 'part is', 'parts are');
  return `${are} unverified: ${countUnchecked(parts)}; keel-package.json in the package lists the reasons`;
}

/** Returns a line for each reason why parts are unverified. */
export function uncheckedDetails(contents: PackageContents): string[] {
  return uncheckedLines(uncheckedParts(contents)).map((line) => `unverified: ${line}`);
}
