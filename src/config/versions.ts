import { z } from 'zod';
import { Failure } from '../lib/failure.ts';
import { isLoopback } from '../lib/http/loopback.ts';
import type { Place } from '../lib/reporter.ts';
import { type Digest, isDigest } from '../registry/oci/digest.ts';
import {
  parseReference,
  parseRepository,
  parseTag,
  type Reference,
  refuseLogin,
  startsWithHost,
  type Tag,
} from '../registry/oci/reference.ts';
import type { Document } from './document.ts';
import { ARCHITECTURES, type Architecture, parseArchitecture } from './kubernetes/architecture.ts';
import { ConfigurationFailure, type Notice, type Problem } from './problem.ts';
import {
  readSignaturePolicies,
  type SignaturePolicies,
  signaturesSchema,
  type WrittenScope,
} from './signature-policy.ts';
import { parseTreePath, type TreePath } from './tree-path.ts';
import { expandUri, parseUriTemplate, type UriTemplate } from './uri-template.ts';
import { textOf, validate } from './validation.ts';

/** A tag as written, or `auto` for the one that belongs to the Kubernetes version. */
type WantedTag = Tag | 'auto';

export interface ImageEntry {
  readonly name: string;
  readonly tag: WantedTag;
  /** Where the image comes from, if its name does not contain that. It has no tag, but may have a digest. */
  readonly image?: Reference | undefined;
  /** Returns the place of one of the entry's values in the file. */
  readonly place: (key?: 'name' | 'tag' | 'image') => Place;
}

/** The required digest of a download: `none`, one for the file's only architecture, or one per architecture. */
type Sha256Pin = 'none' | Digest | ReadonlyMap<Architecture, Digest>;

/** Where a component goes in the package: to `path`, or if `folder` is set below it, unpacked or under its own name. */
interface ComponentPath {
  readonly path: TreePath;
  readonly folder: boolean;
}

export interface ComponentEntry {
  readonly name: string;
  readonly tag: WantedTag;
  readonly uri?: UriTemplate | undefined;
  readonly sha256?: Sha256Pin | undefined;
  readonly path?: ComponentPath | undefined;
  /** Returns the place of one of the entry's values in the file. */
  readonly place: (key?: 'name' | 'tag' | 'uri' | 'sha256' | 'path') => Place;
}

/** An add-on: a manifest that is applied to the cluster, with all images that it names. */
export interface AddonEntry {
  readonly name: string;
  /** Undefined for a manifest of one's own. */
  readonly tag: WantedTag | undefined;
  /** The path of a manifest of one's own, as written: relative to the folder of the versions.json. */
  readonly manifest?: string | undefined;
  /** The address of its manifest, instead of upstream's. */
  readonly uri?: UriTemplate | undefined;
  readonly sha256?: 'none' | Digest | undefined;
  /** Returns the place of one of the entry's values in the file. */
  readonly place: (key?: 'name' | 'tag' | 'manifest' | 'uri' | 'sha256') => Place;
}

/** The contents of a versions.json. */
export interface Versions {
  readonly file: string;
  readonly arch?: Architecture | undefined;
  readonly images: readonly ImageEntry[];
  readonly components: readonly ComponentEntry[];
  readonly addons: readonly AddonEntry[];
  /** Whose signatures are trusted for the images of a registry or path, in addition to the built-in ones. */
  readonly signatures: SignaturePolicies;
  /** Their keys, with their places. */
  readonly scopes: readonly WrittenScope[];
  /** Warnings about the file. */
  readonly notices: readonly Notice[];
}

const OWN_FILES = [
  'images',
  'install',
  'keel-package.json',
  'SHA256SUMS',
  'versions.json',
  'sbom.spdx.json',
  'install.sh',
];

function refuse(message: string, hint: string): never {
  throw new Failure({ code: 'VERSIONS_MALFORMED', fault: 'usage', about: 'versions', message, hint });
}

function readTag(text: string): WantedTag {
  return text === 'auto' ? 'auto' : parseTag(text);
}

function readUpstream(text: string): Reference {
  refuseLogin(text);
  if (!startsWithHost(text)) {
    refuse(`"${text.slice(0, 200)}" does not contain a registry`, 'write one such as quay.io/calico/node');
  }
  const reference = parseReference(text);
  if (reference.tag !== undefined) {
    refuse('the address of an image must not have a tag here', 'write the tag under "tag"');
  }
  return reference;
}

function readComponentName(text: string): string {
  if (/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(text) && text.length <= 64) return text;
  return refuse(
    `"${text.slice(0, 100)}" is not a component's name`,
    'use lower-case letters, digits, ".", "_" and "-"',
  );
}

function readAddonName(text: string): string {
  if (/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text) && text.length <= 64) return text;
  return refuse(
    `"${text.slice(0, 100)}" is not an add-on's name`,
    'use lower-case letters, digits and "-", such as flannel or local-path',
  );
}

function readManifestPath(text: string): string {
  if (text.trim() !== '' && !text.endsWith('/') && !text.includes('\0')) return text;
  return refuse(
    `"${text.slice(0, 100)}" is not the path of a file`,
    'write the path of a manifest, such as manifests/mine.yaml',
  );
}

function readSha256(text: string): Digest {
  const digest = `sha256:${text.toLowerCase().replace(/^sha256:/, '')}`;
  if (isDigest(digest)) return digest;
  return refuse(
    `"${text.slice(0, 80)}" is not a sha256`,
    'write its 64 hexadecimal digits, or "none" for a download without a checksum',
  );
}

function pinFor(arch: Architecture, digest: Digest | undefined): [Architecture, Digest][] {
  return digest === undefined ? [] : [[arch, digest]];
}

function readPath(text: string): ComponentPath {
  const folder = text.endsWith('/');
  const path = parseTreePath(folder ? text.slice(0, -1) : text, 'path');
  const first = path.split('/')[0]?.toLowerCase();
  if (OWN_FILES.some((own) => own.toLowerCase() === first)) {
    refuse(`"${path}" is a path that the package uses itself`, 'write another path, such as tools/name');
  }
  return { path, folder };
}

const sha256Text = textOf((text): 'none' | Digest => (text === 'none' ? 'none' : readSha256(text)));

const sha256Shape = z
  .union([z.string(), z.partialRecord(z.enum(ARCHITECTURES), textOf(readSha256))])
  .transform((value, context): Sha256Pin => {
    if (typeof value !== 'string') return new Map(ARCHITECTURES.flatMap((arch) => pinFor(arch, value[arch])));
    // Validated after the union, because the issue of a union contains only that no alternative matches.
    const read = sha256Text.safeParse(value);
    if (read.success) return read.data;
    for (const { message } of read.error.issues) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const imageShape = z.strictObject({
  name: textOf((text) => String(parseRepository(text))),
  tag: textOf(readTag),
  image: textOf(readUpstream).optional(),
});

const componentShape = z.strictObject({
  name: textOf(readComponentName),
  tag: textOf(readTag),
  uri: textOf(parseUriTemplate).optional(),
  sha256: sha256Shape.optional(),
  path: textOf(readPath).optional(),
});

const addonShape = z.strictObject({
  name: textOf(readAddonName),
  tag: textOf(readTag).optional(),
  manifest: textOf(readManifestPath).optional(),
  uri: textOf(parseUriTemplate).optional(),
  sha256: sha256Text.optional(),
});

const shape = z.strictObject({
  // The URL of a schema, for editors.
  $schema: z.string().optional(),
  arch: textOf((text) => parseArchitecture(text, 'arch')).optional(),
  images: z.array(imageShape).default([]),
  components: z.array(componentShape).default([]),
  // A name alone is short for an object with it.
  addons: z
    .array(z.preprocess((value) => (typeof value === 'string' ? { name: value } : value), addonShape))
    .default([]),
  signatures: signaturesSchema.optional(),
});

function repeated(entries: readonly { readonly name: string }[], same: (index: number) => string): number[] {
  const seen = new Set<string>();
  return entries.flatMap((_, index) => {
    const key = same(index);
    if (seen.has(key)) return [index];
    seen.add(key);
    return [];
  });
}

function isOpenToChange({ uri, sha256 }: Pick<ComponentEntry, 'uri' | 'sha256'>): boolean {
  if (uri === undefined) return false;
  const url = expandUri(uri, { tag: '1.0.0', arch: 'amd64' });
  const isPinned = sha256 !== undefined && sha256 !== 'none';
  return url.protocol === 'http:' && !isLoopback(url.hostname) && !isPinned;
}

function contradictions(versions: Versions, document: Document): Problem[] {
  const { images, components, addons } = versions;
  const problems: Problem[] = [];
  for (const index of repeated(images, (at) => `${images[at]?.name}:${images[at]?.tag}`)) {
    problems.push({
      place: document.place(['images', index, 'name']),
      message: `${images[index]?.name} ${images[index]?.tag} is already in the list`,
    });
  }
  for (const index of repeated(components, (at) => components[at]?.name ?? '')) {
    problems.push({
      place: document.place(['components', index, 'name']),
      message: `${components[index]?.name} is already in the list`,
    });
  }
  for (const index of repeated(addons, (at) => addons[at]?.name ?? '')) {
    problems.push({
      place: document.place(['addons', index]),
      message: `${addons[index]?.name} is already in the list`,
    });
  }
  for (const { manifest, uri, tag, sha256, place } of addons) {
    if (manifest === undefined) continue;
    if (uri !== undefined) {
      problems.push({ place: place('uri'), message: 'a manifest has a path or a "uri", but not both' });
    }
    if (tag !== undefined) {
      problems.push({
        place: place('tag'),
        message: 'a manifest of your own has no "tag"; remove it',
      });
    }
    if (sha256 === 'none') {
      problems.push({
        place: place('sha256'),
        message: 'a manifest of your own needs no "sha256"; remove it',
      });
    }
  }
  for (const entry of [...components, ...addons].filter(isOpenToChange)) {
    problems.push({
      place: entry.place('uri'),
      message: 'a download over plain http can be changed on its way; write https:// or pin it with "sha256"',
    });
  }
  if (images.length === 0 && components.length === 0 && addons.length === 0) {
    problems.push({
      place: document.place([]),
      message: 'there is nothing to pack: no images, no components and no add-ons',
    });
  }
  return problems;
}

/** Returns the versions.json in a document. Throws `CONFIGURATION_MALFORMED` with all of its problems. */
export function parseVersions(document: Document): Versions {
  const value = validate(document, shape);
  const at = (list: string, index: number) => (key?: string) =>
    document.place(key === undefined ? [list, index] : [list, index, key]);
  const {
    policies,
    scopes,
    problems: wrongScopes,
    notices,
  } = readSignaturePolicies(document, value.signatures ?? {});
  const versions: Versions = {
    file: document.file,
    arch: value.arch,
    images: value.images.map((entry, index) => ({ ...entry, place: at('images', index) })),
    components: value.components.map((entry, index) => ({
      ...entry,
      place: at('components', index),
    })),
    addons: value.addons.map((entry, index) => ({
      ...entry,
      tag: entry.tag ?? (entry.manifest === undefined ? 'auto' : undefined),
      place: at('addons', index),
    })),
    signatures: policies,
    scopes,
    notices,
  };
  const problems = [...contradictions(versions, document), ...wrongScopes];
  if (problems.length > 0) throw new ConfigurationFailure(document.file, problems);
  return versions;
}
