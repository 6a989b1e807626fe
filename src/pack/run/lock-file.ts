import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { writeFileWhole } from '../../lib/atomic-file.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { readGivenFile } from '../../lib/given-file.ts';
import { readJson } from '../../lib/json.ts';
import { decodeText } from '../../lib/text/decoded-text.ts';
import { eachNamedOf, eachOf, listOf } from '../../lib/zero-value.ts';
import { type Digest, isDigest } from '../../registry/oci/digest.ts';
import { formatReference, type Host, parseHost, parseReference } from '../../registry/oci/reference.ts';
import type { SignatureCheck } from '../../signatures/signature-check.ts';
import type { PackageContents } from '../contents/package-contents.ts';
import type { AddonCheck, FetchedAddon } from '../fetch/addon-fetch.ts';
import type { CheckedBy } from '../fetch/component-fetch.ts';
import type { LockedCheck } from '../fetch/image-fetch.ts';
import type { AddonPlan, ComponentPlan, ImagePlan, PackagePlan } from '../plan/plan.ts';
import { type LockedKubernetes, lockedKubernetes, plainKubernetes } from './locked-kubernetes.ts';

/** What a lock records about a download. */
interface LockedComponent {
  readonly name: string;
  readonly tag: string;
  readonly url: string;
  readonly sha256: Digest;
  readonly check: CheckedBy;
  /** The address of the mirror that it was downloaded from. */
  readonly mirror?: string | undefined;
}

/** What a lock records about the manifest of an add-on. */
interface LockedAddon {
  readonly name: string;
  /** Undefined for a manifest of the user's own. */
  readonly tag?: string | undefined;
  /** Its address, or the path that the versions.json has. */
  readonly from: string;
  readonly sha256: Digest;
  readonly check: AddonCheck;
  /** The address of the mirror that it was downloaded from. */
  readonly mirror?: string | undefined;
}

/** What a package was made from: packing with it makes the same package again. */
export interface Lock {
  readonly file: string;
  readonly package: string;
  readonly imageFormat: string;
  /** Its Kubernetes, and what goes with that; undefined in locks of older versions. */
  readonly kubernetes?: LockedKubernetes | undefined;
  /** By the upstream names of the images. */
  readonly images: ReadonlyMap<string, LockedCheck>;
  /** By their names. */
  readonly components: ReadonlyMap<string, LockedComponent>;
  /** By their names; none in locks of older versions. */
  readonly addons: ReadonlyMap<string, LockedAddon>;
  /** The files that are neither of an image nor of a component, by path. */
  readonly files: ReadonlyMap<string, Digest>;
  /** The sha256 of the tar. */
  readonly tar: Digest;
}

const SCHEMA = 1;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest');
const imageCheck = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pin'), manifest: z.string().optional() }),
  z.object({
    kind: z.literal('upstream'),
    registry: z.string().transform((text): Host => parseHost(text)),
    compared: z.enum(['layers', 'unpacked-layers']).optional(),
  }),
  z.object({ kind: z.literal('mirror-only'), reason: z.string() }),
]);
const imageSignature = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('verified'), identity: z.string(), issuer: z.string() }),
  z.object({ kind: z.literal('unverified'), reason: z.string() }),
]);
const downloadCheck = z.object({
  kind: z.enum(['pin', 'known', 'published', 'none']),
  digest: digest.optional(),
  source: z.string().optional(),
  mirrorOnly: z.string().optional(),
});
const lockShape = z.object({
  schema: z.literal(SCHEMA),
  package: z.string(),
  imageFormat: z.string(),
  kubernetes: lockedKubernetes.optional(),
  images: eachOf(
    z.object({
      upstream: z.string(),
      pulledBy: z.string().transform((text) => parseReference(text)),
      index: digest.optional(),
      digest,
      check: imageCheck,
      signature: imageSignature.optional(),
      signedUnder: z.string().optional(),
    }),
  ),
  components: eachOf(
    z.object({
      name: z.string(),
      tag: z.string(),
      url: z.string(),
      sha256: digest,
      check: downloadCheck,
      mirror: z.string().optional(),
    }),
  ),
  addons: listOf(
    z.object({
      name: z.string(),
      tag: z.string().optional(),
      from: z.string(),
      sha256: digest,
      check: z.union([downloadCheck, z.object({ kind: z.literal('own') })]),
      mirror: z.string().optional(),
    }),
  ),
  files: eachNamedOf(digest),
  tar: digest,
});

function malformed(file: string, message: string, cause: unknown): Failure<'LOCK_MALFORMED'> {
  return new Failure({
    code: 'LOCK_MALFORMED',
    fault: 'usage',
    about: file,
    message,
    hint: 'give a file that packer --lock wrote; remove it to write a new one',
    cause,
  });
}

/** Returns the lock in a file; undefined if there is no such file. Throws `LOCK_MALFORMED`. */
export async function readLock(file: string, signal: AbortSignal): Promise<Lock | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readGivenFile(file, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (failureCode(cause) === 'ENOENT') return undefined;
    throw malformed(file, `cannot be read (${failureCode(cause)})`, cause);
  }
  try {
    const { images, components, addons, files, ...lock } = lockShape.parse(readJson(decodeText(bytes)));
    return {
      ...lock,
      file,
      images: new Map(images.map(({ upstream, ...image }) => [upstream, { ...image, index: image.index }])),
      components: new Map(components.map((component) => [component.name, component])),
      addons: new Map(addons.map((addon) => [addon.name, addon])),
      files: new Map(Object.entries(files)),
    };
  } catch (cause) {
    const wrong = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const where = wrong === undefined ? '' : ` (${wrong.path.join('.')}: ${wrong.message})`;
    throw malformed(file, `is not a lock file${where}`, cause);
  }
}

/** What is known about a package once it is written. */
interface LockFacts {
  readonly plan: PackagePlan;
  /** The value of `--kube-version`, if that is not a version. */
  readonly wanted: string | undefined;
  readonly addons: readonly FetchedAddon[];
  readonly contents: PackageContents;
  readonly imageFormat: string;
  readonly files: ReadonlyMap<string, Digest>;
  readonly tarSha256: Digest;
  /** What verified signatures; undefined if none were wanted. */
  readonly signatures: SignatureCheck | undefined;
}

/** Writes a lock. Throws `FILE_UNWRITABLE`. */
export function writeLock(file: string, facts: LockFacts): void {
  const { plan, wanted, addons, contents, imageFormat, files, tarSha256, signatures } = facts;
  // Unlike the contents, which leave out what may be secret in an address.
  const addresses = new Map(plan.components.map(({ name, url }) => [name, url]));
  const policies = new Map(
    plan.images.map(({ upstream }) => {
      const stance = signatures?.stanceOn({ name: upstream, tag: upstream.tag });
      return [formatReference(upstream), stance?.kind === 'signed' ? stance.policy : undefined];
    }),
  );
  const lock = {
    schema: SCHEMA,
    package: contents.package,
    imageFormat,
    kubernetes: plainKubernetes(plan, wanted),
    images: contents.images.map(({ upstream, pulledBy, index, digest: found, check, signature }) => ({
      upstream,
      pulledBy,
      index,
      digest: found,
      check,
      signature,
      signedUnder: signature?.kind === 'verified' ? policies.get(upstream) : undefined,
    })),
    components: contents.components.map(({ name, tag, url, sha256, check, mirror }) => {
      return { name, tag, url: addresses.get(name)?.href ?? url, sha256, check, mirror };
    }),
    addons: addons.map(({ plan: addon, sha256, check, mirror }) => {
      return { name: addon.name, tag: addon.tag, from: originOf(addon), sha256, check, mirror };
    }),
    files: Object.fromEntries(files),
    tar: tarSha256,
  };
  writeFileWhole(file, `${JSON.stringify(lock, undefined, 2)}\n`);
}

/** Returns where a manifest comes from, as a lock records it. */
function originOf({ source }: AddonPlan): string {
  return source.kind === 'own' ? source.written : source.url.href;
}

/** Returns an add-on whose manifest must be the one of a lock, if the lock has the same version and address. */
export function lockedAddon(plan: AddonPlan, lock: Lock | undefined): AddonPlan {
  const { source } = plan;
  const locked = lock?.addons.get(plan.name);
  const isSame = locked !== undefined && locked.tag === plan.tag && locked.from === originOf(plan);
  // The user's own manifest is compared when it is read.
  if (!isSame || source.kind === 'own') return plan;
  return { ...plan, source: { ...source, check: { kind: 'pin', digest: locked.sha256 } } };
}

function addonChanges({ plan, sha256 }: FetchedAddon, lock: Lock): string[] {
  const { name, tag = '' } = plan;
  const locked = lock.addons.get(name);
  const called = `the add-on ${name}`;
  if (locked === undefined) return [`${called} is not in the lock`];
  if (locked.tag !== plan.tag)
    return [`${called} was ${locked.tag ?? 'your own'}, but is now ${tag || 'your own'}`];
  const from = originOf(plan);
  if (locked.from !== from) return [`${called} came from ${locked.from}, but would now come from ${from}`];
  return locked.sha256 === sha256 ? [] : [`${called} has a manifest that differs from ${locked.sha256}`];
}

function imageChanges(plan: ImagePlan, lock: Lock): string[] {
  const upstream = formatReference(plan.upstream);
  const locked = lock.images.get(upstream);
  if (locked === undefined) return [`${upstream} is not in the lock`];
  const pulledBy = formatReference(locked.pulledBy);
  const names = plan.candidates.map(({ reference }) => formatReference(reference));
  if (!names.includes(pulledBy))
    return [`${upstream} was pulled as ${pulledBy}, but would now be pulled as ${names[0]}`];
  const isPinned = plan.digest === undefined || [locked.digest, locked.index].includes(plan.digest);
  return isPinned ? [] : [`${upstream} was ${locked.digest}, but is now pinned to ${plan.digest}`];
}

function componentChanges({ name, tag, url, check }: ComponentPlan, lock: Lock): string[] {
  const locked = lock.components.get(name);
  if (locked === undefined) return [`${name} ${tag} is not in the lock`];
  if (locked.tag !== tag) return [`${name} was ${locked.tag}, but is now ${tag}`];
  if (locked.url !== url.href)
    return [`${name} ${tag} came from ${locked.url}, but would now come from ${url.href}`];
  const isPinned = check.kind !== 'pin' || check.digest === locked.sha256;
  return isPinned ? [] : [`${name} ${tag} was ${locked.sha256}, but is now pinned to a different digest`];
}

/** What a lock is compared with before images and components are fetched. */
interface LockedPart {
  readonly plan: PackagePlan;
  readonly addons: readonly FetchedAddon[];
  readonly imageFormat: string;
}

/** Returns how a plan differs from a lock, a sentence each. */
function planChanges(lock: Lock, { plan, addons, imageFormat }: LockedPart): string[] {
  const { version, wanted } = lock.kubernetes ?? {};
  if (wanted !== undefined && version !== plan.kubernetes) {
    // All other differences follow from this one.
    return [
      `the lock contains Kubernetes ${version}, for --kube-version ${wanted}, but this run packs ${plan.kubernetes}`,
    ];
  }
  const names = new Set(addons.map(({ plan: { name } }) => name));
  const images = new Set(plan.images.map(({ upstream }) => formatReference(upstream)));
  const components = new Set(plan.components.map(({ name }) => name));
  return [
    ...(lock.package === plan.fileName
      ? []
      : [`the package was ${lock.package}, but is now ${plan.fileName}`]),
    ...(lock.imageFormat === imageFormat
      ? []
      : [`images were packed as ${lock.imageFormat}, but are now packed as ${imageFormat}`]),
    ...addons.flatMap((addon) => addonChanges(addon, lock)),
    ...[...lock.addons.keys()]
      .filter((name) => !names.has(name))
      .map((name) => `the add-on ${name} is no longer part of the package`),
    ...plan.images.flatMap((image) => imageChanges(image, lock)),
    ...[...lock.images.keys()]
      .filter((name) => !images.has(name))
      .map((name) => `${name} is no longer part of the package`),
    ...plan.components.flatMap((component) => componentChanges(component, lock)),
    ...[...lock.components.keys()]
      .filter((name) => !components.has(name))
      .map((name) => `${name} is no longer part of the package`),
  ];
}

/** Returns which files of a package differ from a lock, a sentence each. */
function fileChanges(lock: ReadonlyMap<string, Digest>, files: ReadonlyMap<string, Digest>): string[] {
  const paths = [...new Set([...lock.keys(), ...files.keys()])].toSorted();
  return paths.flatMap((path) => {
    const [before, now] = [lock.get(path), files.get(path)];
    if (before === now) return [];
    if (before === undefined) return [`${path} is new`];
    return [now === undefined ? `${path} was removed` : `${path} has different content`];
  });
}

/** Returns the images for which the package records another signature than a lock. */
function signatureChanges(lock: Lock, { images }: Pick<PackageContents, 'images'>): string[] {
  return images.flatMap(({ upstream, signature }) =>
    isDeepStrictEqual(lock.images.get(upstream)?.signature, signature) ? [] : [upstream],
  );
}

/** Makes sure that a plan is for the locked package. Throws `LOCK_DIFFERS` with all that changed. */
export function requireLockedPlan(lock: Lock, part: LockedPart): void {
  requireUnchanged(lock, planChanges(lock, part));
}

/** The files of a package that mention signatures. Everything else in them follows from the lock. */
const TELLING_FILES: ReadonlySet<string> = new Set(['keel-package.json', 'sbom.spdx.json']);

/**
 * Makes sure that the files that are neither of an image nor of a component are the locked ones, except for what they
 * state about signatures. Returns the images whose signatures differ now. Throws `LOCK_DIFFERS`.
 */
export function requireLockedFiles(
  lock: Lock,
  files: ReadonlyMap<string, Digest>,
  contents: Pick<PackageContents, 'images'>,
): readonly string[] {
  const resigned = signatureChanges(lock, contents);
  // The lock of an older packer does not record where each tag comes from, but the list of a package does now.
  const isUntold = (path: string): boolean =>
    (resigned.length > 0 && TELLING_FILES.has(path)) ||
    (lock.kubernetes === undefined && path === 'keel-package.json');
  const locked = (map: ReadonlyMap<string, Digest>): ReadonlyMap<string, Digest> =>
    new Map([...map].filter(([path]) => !isUntold(path)));
  requireUnchanged(lock, fileChanges(locked(lock.files), locked(files)));
  return resigned;
}

function requireUnchanged(lock: Lock, changes: readonly string[]): void {
  if (changes.length > 0) throw lockDiffers(lock, changes);
}

/** Returns the failure of a package that would differ from a lock, with all changes, a sentence each. */
export function lockDiffers(lock: Lock, changes: readonly string[]): Failure<'LOCK_DIFFERS'> {
  return new Failure({
    code: 'LOCK_DIFFERS',
    about: lock.file,
    message: `the package would differ from the lock:\n${changes.map((change) => `  ${change}`).join('\n')}`,
    hint: 'undo the change, or remove the lock to write a new one; a newer packer also counts as a change',
  });
}
