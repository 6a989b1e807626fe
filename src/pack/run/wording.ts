import { formatPlace } from '../../config/problem.ts';
import { policyFor } from '../../config/signature-policy.ts';
import { alignColumns } from '../../lib/text/columns.ts';
import { countOf } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { redactUrl } from '../../registry/endpoint.ts';
import { shortDigest } from '../../registry/oci/digest.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import {
  describeCheck,
  describeImageCheck,
  type PackageContents,
  uncheckedParts,
} from '../contents/package-contents.ts';
import type { FetchedComponent } from '../fetch/component-fetch.ts';
import type { CheckedImage, ComparedImage } from '../fetch/image-fetch.ts';
import { isAtMaker } from '../plan/image-source.ts';
import type { ComponentCheck, ComponentPlan, ImagePlan, PackagePlan } from '../plan/plan.ts';

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
    return `${countOf(group.length, 'image')} without a signature that counts: ${reason}: ${names}`;
  });
}

/** Returns the line about which images need a signature. */
export function signaturePlanLine(plan: PackagePlan, mode: 'warn' | 'require'): string {
  const unasked = plan.images.filter(
    ({ upstream }) => policyFor(plan.signatures, upstream)?.policy.kind === 'off',
  ).length;
  const asked = countOf(plan.images.length - unasked, 'image');
  const how = mode === 'require' ? `required of ${asked}` : `looked for, of ${asked}`;
  return `signatures: ${how}${unasked === 0 ? '' : `, and not of ${unasked} whose registry is "off"`}`;
}

/** Returns the line for a fetched component: `kubelet 1.37.1, 58 MiB, checksum published at https://…`. */
export function fetchedComponentLine({ plan, size, check }: FetchedComponent): string {
  return `${plan.name} ${plan.tag}, ${formatSize(size)}, ${describeCheck(check)}`;
}

function plannedImageLine({ upstream, digest, candidates }: ImagePlan): string {
  const name = formatReference(upstream);
  const pulled = candidates[0] === undefined ? name : formatReference(candidates[0].reference);
  const from = pulled === name ? '' : ` from ${pulled}`;
  const others = candidates.length > 1 ? ` (else ${candidates.length - 1} other names)` : '';
  const isOwn = candidates[0] !== undefined && isAtMaker(candidates[0].reference, upstream, false);
  const check =
    digest !== undefined
      ? `pinned to ${digest}`
      : isOwn
        ? `as ${upstream.host} has it`
        : `compared with ${upstream.host} where it can be reached`;
  return `${name}${from}${others}; ${check}`;
}

function plannedCheck(check: ComponentCheck): string {
  switch (check.kind) {
    case 'pin':
      return `pinned to ${check.digest}`;
    case 'published':
      return `checksum at ${check.sources.map(({ url }) => redactUrl(url)).join(', else ')}`;
    case 'none':
      return 'not checked';
  }
}

function plannedComponentLine({ name, tag, url, check }: ComponentPlan): string {
  return `${name} ${tag} from ${redactUrl(url)}; ${plannedCheck(check)}`;
}

/** Returns a line for each image and component: from where it would be fetched and how it is checked. */
export function planLines(plan: PackagePlan): { readonly images: string[]; readonly components: string[] } {
  return { images: plan.images.map(plannedImageLine), components: plan.components.map(plannedComponentLine) };
}

/**
 * Returns a plan as aligned columns for a terminal, with what all rows have in common in the headings. `plainPlan` has
 * what the columns leave out.
 */
export function planColumns({ kubernetes, arch, images, components }: PackagePlan): string[] {
  const pulls = images.map(({ upstream, digest, candidates }) => {
    const pulled = candidates[0]?.reference ?? upstream;
    return { upstream, digest, pulled, isOwn: isAtMaker(pulled, upstream, false) };
  });
  const [host, ...otherHosts] = new Set(pulls.map(({ pulled }) => pulled.host));
  const isMirror = pulls.some(({ isOwn }) => !isOwn);
  const from = isMirror && otherHosts.length === 0 ? ` from ${host}` : '';
  const compared = isMirror ? ", compared with their makers' registries where those can be reached" : '';
  const imageRows = pulls.map(({ upstream, digest, pulled, isOwn }) => [
    `  ${formatReference(upstream)}`,
    isOwn ? '' : `as ${pulled.repository}`,
    digest === undefined ? '' : `pinned to ${shortDigest(digest)}`,
  ]);
  const [check, ...otherChecks] = new Set(components.map((component) => CHECKS[component.check.kind]));
  const isAlike = check !== undefined && otherChecks.length === 0;
  const componentRows = components.map((component) => [
    `  ${component.name}`,
    component.tag,
    ...(isAlike ? [] : [CHECKS[component.check.kind]]),
    redactUrl(component.url),
  ]);
  return [
    `Kubernetes ${kubernetes} for ${arch}`,
    `${countOf(images.length, 'image')}${from}${compared}`,
    ...alignColumns(imageRows),
    `${countOf(components.length, 'component')}${isAlike ? `, ${check}` : ''}`,
    ...alignColumns(componentRows),
  ];
}

const CHECKS = {
  pin: 'pinned',
  published: 'checked by a published checksum',
  none: 'not checked',
} as const;

/** Returns the plan for `--json`. */
export function plainPlan(plan: PackagePlan): unknown {
  return {
    package: plan.fileName,
    kubernetes: plan.kubernetes,
    arch: plan.arch,
    images: plan.images.map(({ name, upstream, digest, candidates }) => ({
      name,
      upstream: formatReference(upstream),
      digest,
      candidates: candidates.map(({ reference }) => formatReference(reference)),
    })),
    components: plan.components.map(({ name, tag, url, check }) => ({
      name,
      tag,
      url: redactUrl(url),
      check:
        check.kind === 'published'
          ? { kind: check.kind, sources: check.sources.map((source) => redactUrl(source.url)) }
          : check,
    })),
    notices: plan.notices.map(({ text, place }) =>
      place === undefined ? text : `${formatPlace(place)}: ${text}`,
    ),
  };
}

/** Returns the headline of a package: `kube-1.37.1-amd64.tar.gz: 612 MiB with 10 images and 7 components`. */
export function packageHeadline(contents: PackageContents, size: number): string {
  const { images, components } = contents;
  return `${contents.package}: ${formatSize(size)} with ${countOf(images.length, 'image')} and ${countOf(components.length, 'component')}`;
}

/** Returns the warning about parts that only their source vouches for; undefined if there are none. */
export function uncheckedWarning(contents: PackageContents): string | undefined {
  const parts = uncheckedParts(contents);
  if (parts.length === 0) return undefined;
  const them = parts.length === 1 ? 'it' : 'they';
  return `the packer compared ${countOf(parts.length, 'part')} with nobody but the place that ${them} came from: ${parts.join('; ')}`;
}
