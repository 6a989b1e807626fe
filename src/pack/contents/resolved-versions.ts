import { formatSignaturePolicies } from '../../config/signature-policy.ts';
import { digestHex } from '../../registry/oci/digest.ts';
import type { FetchedAddon } from '../fetch/addon-fetch.ts';
import type { CheckedImage } from '../fetch/image-fetch.ts';
import { addonPath } from '../plan/known-addon.ts';
import type { PackagePlan, Placement } from '../plan/plan.ts';
import type { UnpackedComponent } from './package-contents.ts';

function pathOf(placement: Placement): string {
  return placement.kind === 'file' ? placement.path : `${placement.folder}/`;
}

/** A manifest of the user's own is in the package, next to the versions.json. */
function resolvedAddon({ plan: { name, tag, source }, sha256 }: FetchedAddon): unknown {
  if (source.kind === 'own') return { name, manifest: addonPath(name) };
  return { name, tag, uri: source.url.href, sha256: digestHex(sha256) };
}

/**
 * Returns the text of a package's own versions.json: every version is written out and all images and downloads are
 * pinned, so that packing it again produces the same content or an error.
 */
export function formatResolvedVersions(
  plan: PackagePlan,
  images: readonly CheckedImage[],
  components: readonly UnpackedComponent[],
  addons: readonly FetchedAddon[],
): string {
  const versions = {
    arch: plan.arch,
    images: images.map(({ image: { plan: wanted, upstream, index, manifest } }) => ({
      name: wanted.name,
      tag: upstream.tag,
      image: `${upstream.host}/${upstream.repository}@${index ?? manifest.digest}`,
    })),
    components: components.map(({ component: { plan: wanted, sha256 } }) => ({
      name: wanted.name,
      tag: wanted.tag,
      uri: wanted.url.href,
      sha256: digestHex(sha256),
      path: pathOf(wanted.placement),
    })),
    ...(addons.length === 0 ? {} : { addons: addons.map(resolvedAddon) }),
    ...(plan.signatures.length === 0 ? {} : { signatures: formatSignaturePolicies(plan.signatures) }),
  };
  return `${JSON.stringify(versions, undefined, 2)}\n`;
}
