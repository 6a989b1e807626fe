import { createHash } from 'node:crypto';
import { digestHex } from '../../registry/oci/digest.ts';
import { parseReference, type Reference } from '../../registry/oci/reference.ts';
import { isAtMaker } from '../plan/image-source.ts';
import {
  describeCheck,
  describeImageCheck,
  type PackageContents,
  type PackedAddon,
  type PackedComponent,
  type PackedImage,
} from './package-contents.ts';

const NAMESPACE = 'https://github.com/shipengqi/keel-pkg/spdx';
const NOTHING = 'NOASSERTION';
const DOCUMENT = 'SPDXRef-DOCUMENT';
const PACKAGE = 'SPDXRef-package';

/**
 * SPDX identifiers, which have letters, digits, dots and dashes. Names that differ only in other characters get
 * different ones.
 */
class Identifiers {
  readonly #taken = new Set<string>();

  take(kind: string, text: string): string {
    const wanted = `SPDXRef-${kind}-${text.replace(/[^A-Za-z0-9.-]+/g, '-')}`;
    let id = wanted;
    for (let number = 2; this.#taken.has(id); number += 1) id = `${wanted}-${number}`;
    this.#taken.add(id);
    return id;
  }
}

function purl(locator: string): unknown {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: locator };
}

function describePackage(id: string, name: string, version: string, details: object): unknown {
  return {
    SPDXID: id,
    name,
    versionInfo: version,
    supplier: NOTHING,
    filesAnalyzed: false,
    licenseConcluded: NOTHING,
    licenseDeclared: NOTHING,
    copyrightText: NOTHING,
    ...details,
  };
}

/** Returns the repository that is known to have an image by its digest: upstream's only if that was verified. */
function locationOf({ upstream, pulledBy, check, signature }: PackedImage): Reference {
  const [name, pulled] = [parseReference(upstream), parseReference(pulledBy)];
  // Next to its own repository, upstream may have one for each architecture.
  if (isAtMaker(pulled, name, true)) return pulled;
  const isOfMaker = check.kind === 'pin' || (check.kind === 'upstream' && check.compared === undefined);
  return isOfMaker || signature?.kind === 'verified' ? name : pulled;
}

// https://github.com/package-url/purl-spec/blob/main/types-doc/oci-definition.md
function imageLocator(image: PackedImage, arch: string): string {
  const { host, repository, tag } = locationOf(image);
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const qualifiers = new URLSearchParams({ arch, repository_url: `${host}/${repository}` });
  if (tag !== undefined) qualifiers.append('tag', tag);
  return `pkg:oci/${name}@${encodeURIComponent(image.digest)}?${qualifiers}`;
}

function imagePackage(
  image: PackedImage,
  arch: string,
  identifiers: Identifiers,
): { id: string; described: unknown } {
  const { repository, host, tag = '' } = parseReference(image.upstream);
  const id = identifiers.take('image', `${image.name}-${tag}`);
  const described = describePackage(id, `${host}/${repository}`, tag, {
    primaryPackagePurpose: 'CONTAINER',
    downloadLocation: NOTHING,
    checksums: [{ algorithm: 'SHA256', checksumValue: digestHex(image.digest) }],
    sourceInfo: `pulled as ${image.pulledBy}; ${describeImageCheck(image)}`,
    externalRefs: [purl(imageLocator(image, arch))],
  });
  return { id, described };
}

function componentPackage(
  component: PackedComponent,
  identifiers: Identifiers,
): { id: string; described: unknown } {
  const { name, tag, url, sha256 } = component;
  const qualifiers = new URLSearchParams({ checksum: sha256, download_url: url });
  const id = identifiers.take('component', name);
  const described = describePackage(id, name, tag, {
    primaryPackagePurpose: 'APPLICATION',
    downloadLocation: url,
    checksums: [{ algorithm: 'SHA256', checksumValue: digestHex(sha256) }],
    externalRefs: [purl(`pkg:generic/${name}@${encodeURIComponent(tag)}?${qualifiers}`)],
  });
  return { id, described };
}

function addonPackage(addon: PackedAddon, identifiers: Identifiers): { id: string; described: unknown } {
  const { name, tag = NOTHING, url = NOTHING, sha256 } = addon;
  const id = identifiers.take('addon', name);
  const described = describePackage(id, `${name}.yaml`, tag, {
    primaryPackagePurpose: 'FILE',
    downloadLocation: url,
    checksums: [{ algorithm: 'SHA256', checksumValue: digestHex(sha256) }],
    sourceInfo: `the manifest of an add-on, ${describeCheck(addon.check)}`,
  });
  return { id, described };
}

/**
 * Returns the text of a package's SBOM as SPDX 2.3 JSON (https://spdx.github.io/spdx-spec/v2.3/). `created` should be
 * the time of the newest image; the namespace depends on the content, so that the same content produces the same bytes.
 */
export function formatSbom(contents: PackageContents, created: Date): string {
  const name = contents.package.replace(/\.tar\.gz$/, '');
  const identifiers = new Identifiers();
  const parts = [
    ...contents.images.map((image) => imagePackage(image, contents.arch, identifiers)),
    ...contents.components.map((component) => componentPackage(component, identifiers)),
    ...contents.addons.map((addon) => addonPackage(addon, identifiers)),
  ];
  const digest = createHash('sha256').update(JSON.stringify(contents)).digest('hex');
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: DOCUMENT,
    name,
    documentNamespace: `${NAMESPACE}/${name}-${digest.slice(0, 32)}`,
    creationInfo: { created: `${created.toISOString().slice(0, 19)}Z`, creators: ['Tool: keel-pkg-packer'] },
    documentDescribes: [PACKAGE],
    packages: [
      describePackage(PACKAGE, name, contents.kubernetes, {
        primaryPackagePurpose: 'ARCHIVE',
        downloadLocation: NOTHING,
      }),
      ...parts.map(({ described }) => described),
    ],
    relationships: [
      { spdxElementId: DOCUMENT, relationshipType: 'DESCRIBES', relatedSpdxElement: PACKAGE },
      ...parts.map(({ id }) => ({
        spdxElementId: PACKAGE,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: id,
      })),
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
