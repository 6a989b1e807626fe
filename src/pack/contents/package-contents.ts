import { countOf, joinWords } from '../../lib/text/sentence.ts';
import { redactUrl } from '../../registry/endpoint.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import type { AddonCheck, FetchedAddon } from '../fetch/addon-fetch.ts';
import type { CheckedBy, FetchedComponent } from '../fetch/component-fetch.ts';
import { blobsOf, type CheckedImage } from '../fetch/image-fetch.ts';
import type { ImageSignature } from '../fetch/image-signature.ts';
import type { ImageCheck } from '../fetch/maker-comparison.ts';
import { addonPath } from '../plan/known-addon.ts';
import type { PackagePlan } from '../plan/plan.ts';
import type { TreeFile } from './component-files.ts';
import type { OverlayFile } from './overlay.ts';

/** One image of a package, for the list in it, the result and the summary. */
export interface PackedImage {
  readonly name: string;
  readonly upstream: string;
  /** The name it was pulled by, which is a second name in the package. */
  readonly pulledBy: string;
  /** Where its tag for this Kubernetes comes from; undefined for a tag that was given. */
  readonly origin?: string | undefined;
  /** The digest of the manifest for the package's platform. */
  readonly digest: Digest;
  /** The digest of the index; undefined if its name leads to a manifest. */
  readonly index?: Digest | undefined;
  readonly config: Digest;
  readonly layers: readonly Digest[];
  /** The bytes of its configuration and layers, some of which other images may share. */
  readonly size: number;
  readonly check: ImageCheck;
  /** Undefined if none is wanted. */
  readonly signature?: ImageSignature | undefined;
}

/** One component of a package: a download. */
export interface PackedComponent {
  readonly name: string;
  readonly tag: string;
  /** Where the tag for this Kubernetes comes from; undefined for a tag that was given. */
  readonly origin?: string | undefined;
  readonly url: string;
  /** The address of the mirror that it was downloaded from instead. */
  readonly mirror?: string | undefined;
  readonly sha256: Digest;
  readonly size: number;
  readonly check: CheckedBy;
  /** Its files in the package. */
  readonly files: readonly string[];
}

/** One add-on of a package: a manifest, and the images that it names. */
export interface PackedAddon {
  readonly name: string;
  /** Undefined for a manifest of the user's own. */
  readonly tag?: string | undefined;
  /** Where the tag for this Kubernetes comes from; undefined for a tag that was given. */
  readonly origin?: string | undefined;
  /** Where the manifest comes from; undefined for one of the user's own. */
  readonly url?: string | undefined;
  /** The address of the mirror that it was downloaded from instead. */
  readonly mirror?: string | undefined;
  /** Of the manifest before it was edited. */
  readonly sha256: Digest;
  readonly size: number;
  readonly check: AddonCheck;
  /** The manifest in the package. */
  readonly file: string;
  /** The pod network that it sets up. */
  readonly podNetwork?: string | undefined;
  /** The names of its images in the package. */
  readonly images: readonly string[];
  /** The changes to the manifest, a sentence each. */
  readonly edits: readonly string[];
}

/** A file that came with packer or from `--package`. */
interface PackedFile {
  readonly path: string;
  readonly sha256: Digest;
  readonly size: number;
}

/** What a package contains, where it came from, and how it was checked. */
export interface PackageContents {
  readonly package: string;
  readonly kubernetes: string;
  readonly arch: string;
  readonly images: readonly PackedImage[];
  readonly components: readonly PackedComponent[];
  readonly addons: readonly PackedAddon[];
  readonly files: readonly PackedFile[];
}

/** A component with the files of the package that come from it. */
export interface UnpackedComponent {
  readonly component: FetchedComponent;
  readonly files: readonly TreeFile[];
}

function describeImage({ image, check, signature }: CheckedImage): PackedImage {
  const { manifest } = image;
  return {
    name: image.plan.name,
    upstream: formatReference(image.upstream),
    pulledBy: formatReference(image.pulledBy),
    origin: image.plan.origin,
    digest: manifest.digest,
    index: image.index,
    config: manifest.config.digest,
    layers: manifest.layers.map(({ digest }) => digest),
    size: blobsOf(image).reduce((sum, { size }) => sum + size, 0),
    check,
    signature,
  };
}

function describeComponent({ component, files }: UnpackedComponent): PackedComponent {
  const { plan, sha256, size, check, mirror } = component;
  return {
    name: plan.name,
    tag: plan.tag,
    origin: plan.origin,
    url: redactUrl(plan.url),
    mirror,
    sha256,
    size,
    check,
    files: files.map(({ entry }) => entry.path),
  };
}

function describeAddon({ plan, manifest, sha256, size, check, mirror }: FetchedAddon): PackedAddon {
  const { name, tag, origin, source } = plan;
  return {
    name,
    tag,
    origin,
    url: source.kind === 'own' ? undefined : redactUrl(source.url),
    mirror,
    sha256,
    size,
    check,
    file: addonPath(name),
    podNetwork: manifest.podNetwork?.range,
    images: manifest.images.map((image) => formatReference(image.name)),
    edits: manifest.edits,
  };
}

/** Returns what a package contains, in the order of its versions.json. */
export function describeContents(
  plan: PackagePlan,
  images: readonly CheckedImage[],
  components: readonly UnpackedComponent[],
  { addons, files }: { readonly addons: readonly FetchedAddon[]; readonly files: readonly OverlayFile[] },
): PackageContents {
  return {
    package: plan.fileName,
    kubernetes: plan.kubernetes,
    arch: plan.arch,
    images: images.map(describeImage),
    components: components.map(describeComponent),
    addons: addons.map(describeAddon),
    files: files.map(({ entry, sha256 }) => ({ path: entry.path, sha256, size: entry.size })),
  };
}

/** A part of a package that only the place that it came from verifies. */
interface UncheckedPart {
  readonly what: string;
  readonly kind: 'image' | 'component' | 'add-on';
  /** Whether the versions file turned the check off with `"sha256": "none"`. */
  readonly isWanted: boolean;
  readonly reason: string;
}

/** Returns the parts that only their source verifies: images, and unchecked downloads. */
export function uncheckedParts(
  contents: Pick<PackageContents, 'images' | 'components' | 'addons'>,
): UncheckedPart[] {
  return [
    // A signature verifies an image, wherever it was pulled from.
    ...contents.images.flatMap(({ upstream, check, signature }) =>
      check.kind === 'mirror-only' && signature?.kind !== 'verified'
        ? [{ what: upstream, kind: 'image' as const, isWanted: false, reason: check.reason }]
        : [],
    ),
    ...contents.components.flatMap(({ name, tag, check }) =>
      uncheckedDownload({ what: `${name} ${tag}`, kind: 'component' }, check),
    ),
    ...contents.addons.flatMap(({ name, tag, check }) =>
      uncheckedDownload({ what: `the manifest of ${name} ${tag}`, kind: 'add-on' }, check),
    ),
  ];
}

/**
 * Returns parts, each group followed by its common reason: `kubelet 1.38.0 and kubectl 1.38.0 (e.org cannot be
 * reached)`.
 */
export function uncheckedLines(parts: readonly Pick<UncheckedPart, 'what' | 'reason'>[]): string[] {
  return [...Map.groupBy(parts, ({ reason }) => reason)].map(
    ([reason, those]) => `${joinWords(those.map(({ what }) => what))} (${reason})`,
  );
}

/** Returns the number of parts by kind: `7 images and 2 components, 1 component with "sha256": "none"`. */
export function countUnchecked(parts: readonly Pick<UncheckedPart, 'kind' | 'isWanted'>[]): string {
  const counts = (isWanted: boolean, words: string): string[] => {
    const those = Map.groupBy(
      parts.filter((part) => part.isWanted === isWanted),
      ({ kind }) => kind,
    );
    const told = [...those].map(([kind, { length }]) => countOf(length, kind));
    return told.length === 0 ? [] : [`${joinWords(told)}${words}`];
  };
  return [...counts(false, ''), ...counts(true, ' with "sha256": "none"')].join(', ');
}

function uncheckedDownload(part: Pick<UncheckedPart, 'what' | 'kind'>, check: AddonCheck): UncheckedPart[] {
  if (check.kind === 'none') return [{ ...part, isWanted: true, reason: 'its "sha256" is "none"' }];
  if (check.kind === 'own' || check.mirrorOnly === undefined) return [];
  const reason = `its checksum comes from the same mirror; ${check.mirrorOnly}`;
  return [{ ...part, isWanted: false, reason }];
}

/** Returns in a few words how an image was checked, and who signed it if that is wanted. */
export function describeImageCheck({ check, signature }: Pick<PackedImage, 'check' | 'signature'>): string {
  const checked = describeCheck(check);
  if (signature === undefined) return checked;
  if (signature.kind === 'unverified') return `${checked}, without a valid signature`;
  return `${checked}, signed by ${signature.identity}`;
}

/** Returns in a few words how an image or component was checked. */
export function describeCheck(check: ImageCheck | AddonCheck): string {
  switch (check.kind) {
    case 'pin':
      return 'manifest' in check && check.manifest !== undefined
        ? `pinned in the manifest of ${check.manifest}`
        : 'pinned in versions.json';
    case 'known':
      return 'verified with the digest built into packer';
    case 'upstream':
      return describeUpstream(check);
    case 'mirror-only':
      return `mirror-only: ${check.reason}`;
    case 'published':
      return check.mirrorOnly === undefined
        ? `checksum published at ${check.source ?? 'upstream'}`
        : `checksum of a mirror at ${check.source}, because upstream could not be reached`;
    case 'own':
      return 'your own';
    case 'none':
      return 'not verified';
  }
}

function describeUpstream({ registry, compared }: Extract<ImageCheck, { kind: 'upstream' }>): string {
  switch (compared) {
    case undefined:
      return `same as at ${registry}`;
    case 'layers':
      return `with the same configuration and layers as at ${registry}`;
    case 'unpacked-layers':
      return `with the same configuration as at ${registry}, and layers that unpack to the digests in it`;
  }
}
