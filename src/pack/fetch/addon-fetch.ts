import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseTreePath } from '../../config/tree-path.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { explainFileError } from '../../lib/file-error.ts';
import { readGivenFile } from '../../lib/given-file.ts';
import { decodeText } from '../../lib/text/decoded-text.ts';
import { MANIFEST_LIMITS } from '../../lib/text/yaml-documents.ts';
import { type Digest, digestOf } from '../../registry/oci/digest.ts';
import { type AddonManifest, readManifest } from '../manifest/addon-manifest.ts';
import { unusableManifest } from '../manifest/manifest-documents.ts';
import { addonPath, knownAddon } from '../plan/known-addon.ts';
import type { AddonPlan, AddonSource, ComponentPlan } from '../plan/plan.ts';
import { type CheckedBy, type FetchedComponent, fetchComponents } from './component-fetch.ts';

/** What verifies a manifest: the same as for a component, or nothing, because it is the user's own. */
export type AddonCheck = CheckedBy | { readonly kind: 'own'; readonly digest?: undefined };

/** An add-on whose manifest was fetched, checked and read. */
export interface FetchedAddon {
  readonly plan: AddonPlan;
  readonly manifest: AddonManifest;
  /** Of the manifest before it was edited. */
  readonly sha256: Digest;
  readonly size: number;
  readonly check: AddonCheck;
  readonly from: FetchedComponent['from'] | 'own';
  /**
   * The address of the mirror that the manifest was downloaded from; undefined if it came from its own address, or was
   * already there.
   */
  readonly mirror?: string | undefined;
}

type FetchSettings = Parameters<typeof fetchComponents>[1];
type Download = Extract<AddonSource, { kind: 'download' }>;
type OwnFile = Extract<AddonSource, { kind: 'own' }>;

function downloadPlan({ name, tag, place }: AddonPlan, source: Download): ComponentPlan {
  if (tag === undefined) throw new TypeError(`${name} has no tag`);
  const { url, fileName, check } = source;
  const path = parseTreePath(addonPath(name), name);
  const placement = { kind: 'file', path, executable: false } as const;
  return { name: `add-on ${name}`, tag, url, fileName, check, placement, place };
}

function read(plan: AddonPlan, bytes: Buffer, about: string): AddonManifest {
  let text: string;
  try {
    text = decodeText(bytes);
  } catch (error) {
    throw unusableManifest(about, error instanceof Error ? error.message : String(error));
  }
  // The user's own manifest has the arguments that the user wants.
  const known = plan.source.kind === 'own' ? undefined : knownAddon(plan.name);
  return readManifest(text, about, { trustingContainer: known?.trustingContainer });
}

async function readOwn(plan: AddonPlan, source: OwnFile, signal: AbortSignal): Promise<FetchedAddon> {
  const { file, digest } = source;
  let bytes: Buffer;
  try {
    bytes = await readGivenFile(file, signal);
  } catch (cause) {
    signal.throwIfAborted();
    const isMissing = failureCode(cause) === 'ENOENT';
    throw new Failure({
      code: 'MANIFEST_UNREADABLE',
      fault: 'usage',
      about: file,
      message: explainFileError(cause),
      hint: isMissing
        ? `the path of the manifest of ${plan.name} is relative to ${dirname(plan.place.file)}, the folder of the versions file`
        : undefined,
      cause,
    });
  }
  const sha256 = digestOf(bytes);
  if (digest !== undefined && digest !== sha256) {
    throw new Failure({
      code: 'DIGEST_MISMATCH',
      about: file,
      message: `expected ${digest}, got ${sha256}`,
      hint: 'if the change is intended, write the new "sha256" into the versions file',
    });
  }
  const check: AddonCheck = digest === undefined ? { kind: 'own' } : { kind: 'pin', digest };
  return { plan, manifest: read(plan, bytes, file), sha256, size: bytes.length, check, from: 'own' };
}

/** Returns the bytes of a download, verified again because others may write to its folder. */
async function readUnchanged(file: string, sha256: Digest): Promise<Buffer> {
  const bytes = await readFile(file);
  const got = digestOf(bytes);
  if (got === sha256) return bytes;
  throw new Failure({
    code: 'DIGEST_MISMATCH',
    about: file,
    message: `expected ${sha256}, got ${got}: it changed during the run`,
    hint: 'another process changes the download folder while packer runs; stop it and try again',
  });
}

/**
 * Fetches the manifests of add-ons like components, and reads those and the user's own. Returns them in the order of
 * the plans. Throws what `fetchComponents` throws, `MANIFEST_UNREADABLE`, `MANIFEST_UNUSABLE`, or `DIGEST_MISMATCH` for
 * a pinned one of the user's own.
 */
export async function fetchAddons(
  plans: readonly AddonPlan[],
  settings: Omit<FetchSettings, 'sizeLimit'>,
): Promise<readonly FetchedAddon[]> {
  const addons = new Map<string, FetchedAddon>();
  // First the manifests that need no network.
  for (const plan of plans) {
    const { source } = plan;
    if (source.kind === 'own') addons.set(plan.name, await readOwn(plan, source, settings.signal));
  }
  const downloads = plans.flatMap((plan) =>
    plan.source.kind === 'download' ? [{ plan, component: downloadPlan(plan, plan.source) }] : [],
  );
  const components = downloads.map(({ component }) => component);
  const fetched = await fetchComponents(components, {
    ...settings,
    noun: 'add-on',
    sizeLimit: MANIFEST_LIMITS.length,
  });
  for (const [index, { file, sha256, size, check, from, mirror }] of fetched.entries()) {
    const plan = downloads[index]?.plan;
    if (plan === undefined) continue;
    const about = `the manifest of ${plan.name} ${plan.tag}`;
    const manifest = read(plan, await readUnchanged(file, sha256), about);
    addons.set(plan.name, { plan, manifest, sha256, size, check, from, mirror });
  }
  return plans.flatMap(({ name }) => addons.get(name) ?? []);
}
