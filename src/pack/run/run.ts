import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { milliseconds } from '../../lib/duration.ts';
import type { HttpTimeouts } from '../../lib/http/request-clock.ts';
import { requireOutputFile } from '../../lib/output-file.ts';
import type { Reporter } from '../../lib/reporter.ts';
import { RunDeadline } from '../../lib/run-deadline.ts';
import type { SecretListener } from '../../lib/secret-forms.ts';
import { countOf } from '../../lib/text/sentence.ts';
import type { CredentialHelper } from '../../registry/auth/docker-config.ts';
import { type Digest, parseDigest } from '../../registry/oci/digest.ts';
import { writeArchive } from '../archive/write-archive.ts';
import { assemble, type PackageTree } from '../contents/assembly.ts';
import {
  type OverlaySource,
  overlayFiles,
  overlayValues,
  readOverlay,
  requireFreePaths,
} from '../contents/overlay.ts';
import type { PackageContents } from '../contents/package-contents.ts';
import type { FileKeeper } from '../fetch/component-cache.ts';
import type { PackSettings } from '../settings.ts';
import { fetchAll } from './fetching.ts';
import { type Lock, requireLockedFiles, writeLock } from './lock-file.ts';
import { type PackTask, prepare } from './preparation.ts';
import type { BuiltPackage, Destinations, PackResult } from './result.ts';
import {
  mirrorLine,
  packageHeadline,
  planColumns,
  signaturePlanLine,
  uncheckedDetails,
  uncheckedWarning,
} from './wording.ts';
import { workFolder } from './work-folder.ts';

/** What the command or action gives to a run. */
export interface PackParts<Published> {
  readonly reporter: Reporter;
  /** Aborted if the run has to end early. */
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
  readonly runCredentialHelper: CredentialHelper;
  /** Called with each secret before its first use. */
  readonly onSecret: SecretListener;
  /** The files that every package has. */
  readonly ownFiles: readonly OverlaySource[];
  /** Keeps components from run to run. */
  readonly keeper?: FileKeeper | undefined;
  readonly destinations: Destinations<Published>;
  /** Set by tests, which use short timeouts. */
  readonly timeouts?: HttpTimeouts | undefined;
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Makes sure that the targets will take the package, fetches and checks its parts, writes it and publishes it. A dry run
 * only reports its plan. Whatever fails, no package appears that is not complete and checked. Returns what was packed and
 * what each target answered. Throws what prevents it.
 */
export async function runPack<Published>(
  settings: PackSettings,
  parts: PackParts<Published>,
): Promise<PackResult<Published>> {
  const started = performance.now();
  const { reporter, destinations } = parts;
  using deadline = new RunDeadline(settings.commandTimeout, parts.signal);
  const { signal } = deadline;
  const task = await prepare(settings, { ...parts, signal });
  if (settings.dryRun) {
    tellPlan(task, reporter);
    return { kind: 'planned', plan: task.plan, chosen: task.chosen };
  }
  await destinations.prove(signal);
  const { contents, file } = await build(task, parts, deadline);
  const published = await destinations.publish(file, signal);
  reporter.close();
  const duration = milliseconds(performance.now() - started);
  return { kind: 'packed', file, contents, chosen: task.chosen, duration, published };
}

function tellPlan({ plan, chosen, settings }: PackTask, reporter: Reporter): void {
  const { verifySignatures, upstreamMirror } = settings;
  reporter.section(`${plan.fileName} would be packed`);
  for (const line of planColumns(plan, chosen)) reporter.line(line);
  const mirrors = mirrorLine(plan, upstreamMirror);
  if (mirrors !== undefined) reporter.line(mirrors);
  if (verifySignatures !== 'off') reporter.line(signaturePlanLine(plan, verifySignatures));
  reporter.close();
}

async function build(
  task: PackTask,
  parts: PackParts<unknown>,
  { signal, at: deadline }: RunDeadline,
): Promise<{ readonly contents: PackageContents; readonly file: BuiltPackage }> {
  const { settings, plan, chosen, lock, signatures, addons } = task;
  const { reporter, environment } = parts;
  const { imageFormat } = settings;
  const folder = (path: string, flag: string): string => workFolder(path, flag, environment, reporter);
  const folders = {
    images: folder(settings.imageOutput, '--image-output'),
    downloads: folder(settings.downloadOutput, '--download-output'),
    output: folder(settings.output, '--output'),
  };
  requireOutputFile(join(folders.output, plan.fileName), { what: 'package', isOne: isGzip });
  // An existing lock was read before.
  const isNewLock = lock === undefined && settings.lock !== undefined;
  if (isNewLock) requireOutputFile(settings.lock, { what: 'lock', isOne: () => false });
  // Read before anything is fetched, as they may contain errors.
  const overlay = await readOverlays(task, parts.ownFiles);
  try {
    const fetched = await fetchAll({ ...task, folders }, { ...parts, signal, deadline });
    reporter.section(`Packing ${plan.fileName}`);
    const tree = await assemble({ plan, addons, overlay, imageFormat, ...fetched }, signal);
    const { contents, ownFiles } = tree;
    const resigned = lock === undefined ? [] : requireLockedFiles(lock, ownFiles, contents);
    const file = await write(tree, folders.output, { reporter, signal });
    const warning = uncheckedWarning(contents);
    if (warning !== undefined) reporter.warning(warning);
    for (const line of uncheckedDetails(contents)) reporter.detail(line);
    reporter.line(packageHeadline(contents, file.size));
    reporter.line(`${file.path}, ${file.sha256}`);
    const { tarSha256 } = file;
    if (lock !== undefined) tellLocked(lock, { tarSha256, resigned }, reporter);
    else if (settings.lock !== undefined) {
      writeLock(settings.lock, {
        plan,
        wanted: chosen?.word,
        addons,
        contents,
        imageFormat,
        files: ownFiles,
        tarSha256,
        signatures,
      });
      reporter.line(`wrote the lock ${settings.lock}; --lock with this file builds the same package again`);
    }
    return { contents, file };
  } finally {
    reporter.close();
  }
}

function isGzip(file: string): boolean {
  const head = Buffer.alloc(2);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, head);
  } finally {
    closeSync(descriptor);
  }
  return head.equals(GZIP_MAGIC);
}

async function readOverlays({ settings, plan }: PackTask, own: readonly OverlaySource[]) {
  const given = settings.overlay === undefined ? [] : await readOverlay(settings.overlay);
  const files = overlayFiles([...own, ...given], overlayValues(plan));
  requireFreePaths(files, plan);
  return files;
}

async function write(
  { entries, first, contents: { package: name } }: PackageTree,
  folder: string,
  { reporter, signal }: { readonly reporter: Reporter; readonly signal: AbortSignal },
): Promise<BuiltPackage> {
  const output = join(folder, name);
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

/** `resigned` are the images for which other signatures are found than the lock records. */
function tellLocked(
  lock: Lock,
  { tarSha256, resigned }: { readonly tarSha256: Digest; readonly resigned: readonly string[] },
  reporter: Reporter,
): void {
  if (resigned.length > 0) {
    const images = `${countOf(resigned.length, 'image')} (${resigned.join(', ')})`;
    reporter.warning(
      `${lock.file}: images and components match the lock, but the signatures of ${images} differ; the package records what this run found`,
    );
  } else if (lock.tar === tarSha256) reporter.line(`the package matches the lock ${lock.file}`);
  else {
    const told = `the digest of the tar is ${tarSha256}, not ${lock.tar}: another version of packer wrote it`;
    reporter.warning(`${lock.file}: every file matches the lock, but ${told}`);
  }
}
