import { join } from 'node:path';
import { readVersions } from '../../config/versions.ts';
import { milliseconds } from '../../lib/duration.ts';
import { readAuthorities } from '../../lib/http/authorities.ts';
import { HttpClient, type HttpTimeouts } from '../../lib/http/http.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import type { CredentialHelper } from '../../registry/docker-config.ts';
import { parseDigest } from '../../registry/oci/digest.ts';
import { openRegistries } from '../../registry/registries.ts';
import { SignatureCheck } from '../../signatures/signature-check.ts';
import { writeArchive } from '../archive/write-archive.ts';
import { assemble, type PackageTree } from '../contents/assembly.ts';
import { type OverlaySource, overlayFiles, overlayValues, readOverlay } from '../contents/overlay.ts';
import { BlobStore } from '../fetch/blob-store.ts';
import type { FileKeeper } from '../fetch/component-cache.ts';
import { requirePolicies } from '../fetch/image-signature.ts';
import { Makers } from '../fetch/makers.ts';
import { resolvePackage } from '../plan/package-resolution.ts';
import type { PackagePlan } from '../plan/plan.ts';
import type { PackSettings } from '../settings.ts';
import { fetchAll } from './fetching.ts';
import { fileChanges, type Lock, planChanges, readLock, requireUnchanged, writeLock } from './lock.ts';
import type { BuiltPackage, Destinations, PackResult } from './result.ts';
import { packageHeadline, planColumns, signaturePlanLine, uncheckedWarning } from './wording.ts';
import { workFolder } from './work-folder.ts';

/** What a run borrows from its front. */
export interface PackParts<Published> {
  readonly reporter: Reporter;
  /** Aborted when the run has to end early. */
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
  readonly runCredentialHelper: CredentialHelper;
  /** Told each secret before its first use. */
  readonly onSecret: (secret: string) => void;
  /** The files that every package has. */
  readonly ownFiles: readonly OverlaySource[];
  /** Keeps components from run to run. */
  readonly keeper?: FileKeeper | undefined;
  readonly destinations: Destinations<Published>;
  /** Given by tests, whose patience is short. */
  readonly timeouts?: HttpTimeouts;
}

/**
 * Packs: proves where the package will go, fetches and checks what belongs into it, writes it and publishes it. A dry
 * run only tells. Whatever fails, no package appears that is not whole and checked. Throws what stands in the way; what
 * single targets said is part of what was published.
 */
export async function runPack<Published>(
  settings: PackSettings,
  parts: PackParts<Published>,
): Promise<PackResult<Published>> {
  const started = performance.now();
  const { reporter, destinations } = parts;
  const plan = await planPackage(settings, reporter);
  const lock = settings.lock === undefined ? undefined : await readLock(settings.lock);
  if (lock !== undefined) requireUnchanged(lock, planChanges(lock, plan, settings.imageFormat));
  const { verifySignatures, trustedRoot, versionConfig } = settings;
  const signatures = await SignatureCheck.open(verifySignatures, {
    policies: plan.signatures,
    trustedRoot,
    file: versionConfig,
  });
  if (signatures !== undefined && settings.verifySignatures === 'require') requirePolicies(plan, signatures);
  if (settings.dryRun) {
    tellPlan(plan, settings, reporter);
    return { kind: 'planned', plan };
  }
  using deadline = new RunDeadline(settings.commandTimeout, parts.signal);
  const { signal } = deadline;
  await destinations.prove(signal);
  const { tree, file } = await build({ plan, lock, signatures }, settings, parts, deadline);
  const published = await destinations.publish(file, signal);
  reporter.close();
  const duration = milliseconds(performance.now() - started);
  return { kind: 'packed', file, contents: tree.contents, duration, published };
}

async function planPackage(settings: PackSettings, reporter: Reporter): Promise<PackagePlan> {
  const { versionConfig, kubeVersion, arch, beta, imageSource } = settings;
  const versions = await readVersions(versionConfig);
  const plan = resolvePackage(versions, { kubeVersion, arch, beta, imageSource });
  for (const { text, place } of plan.notices) reporter.warning(text, place);
  return plan;
}

function tellPlan(plan: PackagePlan, { verifySignatures }: PackSettings, reporter: Reporter): void {
  reporter.section(`${plan.fileName} would be packed`);
  for (const line of planColumns(plan)) reporter.line(line);
  if (verifySignatures !== 'off') reporter.line(signaturePlanLine(plan, verifySignatures));
  reporter.close();
}

/** What is packed, and against what it is held. */
interface Task {
  readonly plan: PackagePlan;
  readonly lock: Lock | undefined;
  readonly signatures: SignatureCheck | undefined;
}

async function build<Published>(
  { plan, lock, signatures }: Task,
  settings: PackSettings,
  parts: PackParts<Published>,
  { signal, at: deadline }: RunDeadline,
): Promise<{ readonly tree: PackageTree; readonly file: BuiltPackage }> {
  const { reporter, environment, keeper, timeouts } = parts;
  const { registry: host, username, password, caFile } = settings;
  const folder = (path: string, flag: string): string => workFolder(path, flag, environment, reporter);
  const folders = {
    images: folder(settings.imageOutput, '--image-output'),
    downloads: folder(settings.downloadOutput, '--download-output'),
    output: folder(settings.output, '--output'),
  };
  // Read before anything is fetched: it may be wrong.
  const overlay = await readOverlays(settings, parts.ownFiles, plan);
  const authorities = await readAuthorities(caFile);
  const http = new HttpClient({
    ...(authorities === undefined ? {} : { authorities }),
    ...(timeouts === undefined ? {} : { timeouts }),
  });
  const connection = { ...settings, login: { host, username, password } };
  const connectionParts = { ...parts, signal, deadline, timeouts };
  const registries = await openRegistries(connection, connectionParts);
  const makers = await Makers.open(connection, connectionParts);
  try {
    reporter.section(`Fetching what belongs into ${plan.fileName}`);
    const blobs = new BlobStore(folders.images);
    const fetching = {
      settings,
      registries,
      makers,
      http,
      blobs,
      folders,
      keeper,
      lock,
      signatures,
      reporter,
      signal,
    };
    const { images, components } = await fetchAll(plan, fetching);
    reporter.section(`Packing ${plan.fileName}`);
    const { imageFormat } = settings;
    const blobFiles = blobs.pathOf.bind(blobs);
    const tree = await assemble({ plan, images, components, overlay, imageFormat, blobFiles }, signal);
    if (lock !== undefined) requireUnchanged(lock, fileChanges(lock, tree.ownFiles));
    const file = await write(tree, join(folders.output, plan.fileName), reporter, signal);
    const warning = uncheckedWarning(tree.contents);
    if (warning !== undefined) reporter.warning(warning);
    reporter.line(packageHeadline(tree.contents, file.size));
    reporter.line(`${file.path}, ${file.sha256}`);
    keepLock(plan, tree, file, lock, settings, reporter);
    return { tree, file };
  } finally {
    reporter.close();
    registries.close();
    makers.close();
    http.close();
  }
}

async function readOverlays(settings: PackSettings, own: readonly OverlaySource[], plan: PackagePlan) {
  const given = settings.overlay === undefined ? [] : await readOverlay(settings.overlay);
  return overlayFiles([...own, ...given], overlayValues(plan));
}

async function write(
  tree: PackageTree,
  output: string,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<BuiltPackage> {
  const { entries, first } = tree;
  const name = tree.contents.package;
  const { size, sha256, tarSha256, qetag } = await writeArchive({
    entries,
    first,
    output,
    signal,
    onProgress: (bytes, bytesTotal) =>
      reporter.progress({
        activity: 'packing',
        done: 0,
        total: 1,
        unit: 'packages',
        bytes,
        bytesTotal,
        current: [name],
      }),
  });
  const digest = (hex: string) => parseDigest(`sha256:${hex}`, name);
  return { path: output, name, size, sha256: digest(sha256), tarSha256: digest(tarSha256), qetag };
}

function keepLock(
  plan: PackagePlan,
  tree: PackageTree,
  file: BuiltPackage,
  lock: Lock | undefined,
  settings: PackSettings,
  reporter: Reporter,
): void {
  if (lock?.tar === file.tarSha256) reporter.line(`it is the package that ${lock.file} locks`);
  else if (lock !== undefined) {
    const told = `the tar is ${file.tarSha256}, not ${lock.tar}: another version of packer wrote it`;
    reporter.warning(`${lock.file}: every file is as locked, but ${told}`);
  }
  if (lock !== undefined || settings.lock === undefined) return;
  const addresses = new Map(plan.components.map(({ name, url }) => [name, url]));
  const { contents, ownFiles: files } = tree;
  const { imageFormat } = settings;
  writeLock(settings.lock, { contents, addresses, imageFormat, files, tarSha256: file.tarSha256 });
  reporter.line(`${settings.lock} locks it: with --lock the same package is packed again`);
}
