import { redactUrl } from '../../registry/endpoint.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import type { CheckedBy, FetchedComponent } from '../fetch/component-fetch.ts';
import { blobsOf, type CheckedImage } from '../fetch/image-fetch.ts';
import type { ImageSignature } from '../fetch/image-signature.ts';
import type { ImageCheck } from '../fetch/maker-comparison.ts';
import type { PackagePlan } from '../plan/plan.ts';
import type { TreeFile } from './component-files.ts';
import type { OverlayFile } from './overlay.ts';

/** One image of a package, for the list in it, the result and the summary. */
export interface PackedImage {
  readonly name: string;
  readonly upstream: string;
  /** The name it was pulled by, which is a second name in the package. */
  readonly pulledBy: string;
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
  readonly url: string;
  readonly sha256: Digest;
  readonly size: number;
  readonly check: CheckedBy;
  /** Its files in the package. */
  readonly files: readonly string[];
}

/** A file that came with packer or from `--package`. */
interface PackedFile {
  readonly path: string;
  readonly sha256: Digest;
  readonly size: number;
}

/** What a package holds, where it came from, and how it was checked. */
export interface PackageContents {
  readonly package: string;
  readonly kubernetes: string;
  readonly arch: string;
  readonly images: readonly PackedImage[];
  readonly components: readonly PackedComponent[];
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
  const { plan, sha256, size, check } = component;
  return {
    name: plan.name,
    tag: plan.tag,
    url: redactUrl(plan.url),
    sha256,
    size,
    check,
    files: files.map(({ entry }) => entry.path),
  };
}

/** Returns what a package holds, in the order of its versions.json. */
export function describeContents(
  plan: PackagePlan,
  images: readonly CheckedImage[],
  components: readonly UnpackedComponent[],
  overlay: readonly OverlayFile[],
): PackageContents {
  return {
    package: plan.fileName,
    kubernetes: plan.kubernetes,
    arch: plan.arch,
    images: images.map(describeImage),
    components: components.map(describeComponent),
    files: overlay.map(({ entry, sha256 }) => ({ path: entry.path, sha256, size: entry.size })),
  };
}

/** Returns the parts that only their source vouches for: images with the reason, and unchecked components. */
export function uncheckedParts(contents: Pick<PackageContents, 'images' | 'components'>): string[] {
  return [
    // Whoever signed an image vouches for it, wherever it was pulled from.
    ...contents.images.flatMap(({ upstream, check, signature }) =>
      check.kind === 'mirror-only' && signature?.kind !== 'verified' ? [`${upstream} (${check.reason})`] : [],
    ),
    ...contents.components.flatMap(({ name, tag, check }) =>
      check.kind === 'none' ? [`${name} ${tag} (the versions.json says "sha256": "none")`] : [],
    ),
  ];
}

/** Returns in a few words how an image was checked, and who signed it if that is wanted. */
export function describeImageCheck({ check, signature }: Pick<PackedImage, 'check' | 'signature'>): string {
  const checked = describeCheck(check);
  if (signature === undefined) return checked;
  if (signature.kind === 'unverified') return `${checked}, without a signature that counts`;
  return `${checked}, signed by ${signature.identity}`;
}

/** Returns in a few words how an image or component was checked. */
export function describeCheck(check: ImageCheck | CheckedBy): string {
  switch (check.kind) {
    case 'pin':
      return 'pinned in versions.json';
    case 'upstream':
      return describeUpstream(check);
    case 'mirror-only':
      return `mirror-only: ${check.reason}`;
    case 'published':
      return `checksum published at ${check.source ?? 'its maker'}`;
    case 'none':
      return 'not checked';
  }
}

function describeUpstream({ registry, compared }: Extract<ImageCheck, { kind: 'upstream' }>): string {
  switch (compared) {
    case undefined:
      return `as ${registry} has it`;
    case 'layers':
      return `with the configuration and layers that ${registry} has`;
    case 'unpacked-layers':
      return `with the configuration that ${registry} has, and layers that unpack to what it says`;
  }
}
