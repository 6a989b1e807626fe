import type { Architecture } from '../../config/kubernetes/architecture.ts';
import type { ComponentEntry } from '../../config/versions.ts';
import type { Findings } from './findings.ts';
import { isKubernetesComponent, type KnownComponent } from './known-component.ts';
import type { ChecksumSource, ComponentCheck } from './plan.ts';
import type { Choice } from './resolution.ts';

/** Where projects that are not known here publish checksums, the commonest first. */
const USUAL_PLACES: readonly KnownComponent['checksum'][] = [
  { suffix: '.sha256' },
  { suffix: '.sha256sum' },
  { suffix: '.sha512' },
  { list: 'SHA256SUMS' },
  { list: 'checksums.txt' },
];

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

/** Returns how the download of a component is checked; undefined where its pin belongs to something else. */
export function checkOf(
  entry: ComponentEntry,
  known: KnownComponent | undefined,
  url: URL,
  choice: Choice,
  fileArch: Architecture | undefined,
  findings: Findings,
): ComponentCheck | undefined {
  const { sha256 } = entry;
  if (sha256 === 'none') return { kind: 'none' };
  if (sha256 === undefined) {
    const places = known === undefined ? USUAL_PLACES : [known.checksum];
    return { kind: 'published', sources: places.map((place) => sourceAt(url, place)) };
  }
  if (choice.replaced !== undefined && isKubernetesComponent(entry.name)) {
    findings.problem(
      entry.place('sha256'),
      `this sha256 belongs to Kubernetes ${choice.replaced}, the package is for ${choice.version}; ` +
        'leave it out to check against the published one',
    );
    return undefined;
  }
  if (typeof sha256 === 'string') {
    if (fileArch === undefined || fileArch === choice.arch) return { kind: 'pin', digest: sha256 };
    findings.problem(
      entry.place('sha256'),
      `this sha256 belongs to ${fileArch}, the package is for ${choice.arch}; ` +
        `write {"${fileArch}": "…", "${choice.arch}": "…"}, or leave it out to check against the published one`,
    );
    return undefined;
  }
  const digest = sha256.get(choice.arch);
  if (digest !== undefined) return { kind: 'pin', digest };
  findings.problem(entry.place('sha256'), `there is no sha256 for ${choice.arch}, for which the package is`);
  return undefined;
}
