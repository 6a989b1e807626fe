import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import semver from 'semver';
import { z } from 'zod';
import { kubeadmTags } from '../../config/kubernetes/kubeadm-tags.ts';
import { parseTreePath } from '../../config/tree-path.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { formatSize } from '../../lib/text/size.ts';
import { type Digest, digestOf } from '../../registry/oci/digest.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import { bytesEntry, type FileEntry } from '../archive/entry.ts';
import { matrixRow } from '../plan/component-matrix.ts';
import { knownComponent } from '../plan/known-component.ts';
import type { PackagePlan } from '../plan/plan.ts';

/** The values for the templates of an overlay folder. */
interface OverlayValues {
  readonly pauseImage: string;
  readonly kubernetesVersion: string;
  readonly arch: string;
  /** The major version of the containerd in the package, on which the form of its configuration depends. */
  readonly containerdMajor: number;
}

/** A file of an overlay folder, before templates are filled. */
export interface OverlaySource {
  /** Relative to the folder, with `/` between its parts. */
  readonly path: string;
  /** For messages. */
  readonly about: string;
  readonly content: Buffer;
  /** 0o644 or 0o755. */
  readonly mode: number;
}

export interface OverlayFile {
  readonly entry: FileEntry;
  readonly sha256: Digest;
}

/** In bytes. Overlay files are configuration and scripts; larger files should be components. */
const SIZE_LIMIT = 64 * 1024 * 1024;
/**
 * The folder package/ as JSON. Empty in the sources; scripts/embed-package.ts fills it in when the tools are bundled.
 */
const EMBEDDED_PACKAGE: string = '';
const embeddedShape = z.record(z.string(), z.object({ mode: z.number(), content: z.string() }));

function containerdVersion(plan: PackagePlan): string {
  const packed = plan.components.find(({ name }) => knownComponent(name)?.name === 'containerd');
  return packed?.tag ?? matrixRow(plan.kubernetes)?.containerd ?? '2.0.0';
}

/**
 * Returns the values of the templates for a plan. The pause image is the packed one, else kubeadm's, so that the
 * configuration fits an image that arrives in another way.
 */
export function overlayValues(plan: PackagePlan): OverlayValues {
  const packed = plan.images.find(({ upstream }) => upstream.repository === 'pause');
  const usual = kubeadmTags(plan.kubernetes)?.tags.pause;
  const fallback = usual === undefined ? '' : `registry.k8s.io/pause:${usual}`;
  return {
    pauseImage: packed === undefined ? fallback : formatReference(packed.upstream),
    kubernetesVersion: plan.kubernetes,
    arch: plan.arch,
    containerdMajor: semver.coerce(containerdVersion(plan))?.major ?? 2,
  };
}

function fill(template: string, values: OverlayValues, about: string): string {
  const known = new Map([
    ['PauseImage', values.pauseImage],
    ['KubernetesVersion', values.kubernetesVersion],
    ['Arch', values.arch],
  ]);
  return template.replace(/\{\{([^{}]*)\}\}/g, (_, inside: string) => {
    const action = inside.replace(/^-/, '').replace(/-$/, '').trim();
    const value = known.get(action.replace(/^\./, ''));
    if (value !== undefined && action.startsWith('.')) return value;
    throw new Failure({
      code: 'TEMPLATE_MALFORMED',
      fault: 'usage',
      about,
      message: `{{${action.slice(0, 60)}}} is not known here`,
      hint: `the fields are ${[...known.keys()].map((name) => `{{.${name}}}`).join(', ')}`,
    });
  });
}

/** Returns the name of an overlay file in the package; undefined for a file that is for another containerd. */
function nameFor(path: string, containerdMajor: number): string | undefined {
  const untold = path.replace(/\.tmpl$/, '');
  const major = /\.containerd-(\d+)(?=\.[^./]+$)/.exec(untold);
  if (major === null) return untold;
  return Number(major[1]) === containerdMajor ? untold.replace(major[0], '') : undefined;
}

async function readOverlayFile(path: string): Promise<{ content: Buffer; mode: number }> {
  const { size, mode } = await stat(path);
  if (size > SIZE_LIMIT) {
    throw new Failure({
      code: 'OVERLAY_UNUSABLE',
      fault: 'usage',
      about: path,
      message: `it has ${formatSize(size)}, ${formatSize(SIZE_LIMIT)} are allowed`,
      hint: 'name large files in versions.json as components with a "uri"',
    });
  }
  return { content: await readFile(path), mode: (mode & 0o100) === 0 ? 0o644 : 0o755 };
}

/** Returns the files of an overlay folder (`--package`), unchanged. Throws `OVERLAY_UNUSABLE`. */
export async function readOverlay(folder: string): Promise<OverlaySource[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    const code = failureCode(cause);
    const message =
      code === 'ENOENT' ? 'there is no such folder' : `the overlay folder cannot be read (${code})`;
    throw new Failure({
      code: 'OVERLAY_UNUSABLE',
      fault: 'usage',
      about: folder,
      message,
      hint: 'check --package',
      cause,
    });
  });
  const sources: OverlaySource[] = [];
  for (const item of found) {
    if (item.isDirectory()) continue;
    const about = join(item.parentPath, item.name);
    if (!item.isFile()) {
      throw new Failure({
        code: 'OVERLAY_UNUSABLE',
        fault: 'usage',
        about,
        message: 'it is a link or device, only files go into a package',
      });
    }
    const path = relative(folder, about).split(sep).join('/');
    sources.push({ path, about, ...(await readOverlayFile(about)) });
  }
  return sources;
}

/**
 * Returns the files that every package has: configuration, units and the installer. A bundled tool contains them; the
 * sources, which run at the root of the repository, read them from package/.
 */
export async function ownFiles(): Promise<OverlaySource[]> {
  if (EMBEDDED_PACKAGE === '') return readOverlay('package');
  const files = embeddedShape.parse(JSON.parse(EMBEDDED_PACKAGE));
  return Object.entries(files).map(([path, { mode, content }]) => ({
    path,
    about: `package/${path}`,
    content: Buffer.from(content, 'base64'),
    mode,
  }));
}

/**
 * Returns the files for the package; later files replace earlier ones of the same name. `NAME.tmpl` is filled and loses
 * its ending. `NAME.containerd-2.toml` becomes `NAME.toml` if containerd 2 is packed, and is left out otherwise. Throws
 * `TEMPLATE_MALFORMED`, or `PATH_UNSAFE` for names that cannot be in a package.
 */
export function overlayFiles(sources: readonly OverlaySource[], values: OverlayValues): OverlayFile[] {
  const files = new Map<string, OverlayFile>();
  for (const { path, about, content, mode } of sources) {
    const name = nameFor(path, values.containerdMajor);
    if (name === undefined) continue;
    const bytes = path.endsWith('.tmpl')
      ? Buffer.from(fill(content.toString('utf8'), values, about))
      : content;
    files.set(name, { entry: bytesEntry(parseTreePath(name, about), bytes, mode), sha256: digestOf(bytes) });
  }
  return [...files.values()].toSorted((one, other) => (one.entry.path < other.entry.path ? -1 : 1));
}
