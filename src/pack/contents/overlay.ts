import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import semver from 'semver';
import { z } from 'zod';
import { parseTreePath } from '../../config/tree-path.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { formatSize } from '../../lib/text/size.ts';
import { type Digest, digestOf } from '../../registry/oci/digest.ts';
import { formatReference } from '../../registry/oci/reference.ts';
import { bytesEntry, type FileEntry } from '../archive/entry.ts';
import { matrixRow } from '../plan/component-matrix.ts';
import { addonPath } from '../plan/known-addon.ts';
import { knownComponent } from '../plan/known-component.ts';
import { packedKubeadmImage } from '../plan/kubeadm-image.ts';
import type { ComponentPlan, PackagePlan } from '../plan/plan.ts';

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

const CONTAINERD_FOLDER = 'runtime/containerd/bin';
/** The path of containerd in a package. */
export const CONTAINERD_PROGRAM = `${CONTAINERD_FOLDER}/containerd`;

/** The files that packer writes itself, so that they describe what is in the package. */
const WRITTEN =
  /^(?:images(?:\/.*)?|install\/(?:addons|files|images|package\.env)|keel-package\.json|sha256sums|sbom\.spdx\.json|versions\.json)$/i;

/** In bytes. Overlay files are configuration and scripts; larger files should be components. */
const SIZE_LIMIT = 64 * 1024 * 1024;
/**
 * The folder package/ as JSON. Empty in the sources; scripts/embed-package.ts fills it in when the tools are bundled.
 */
const EMBEDDED_PACKAGE: string = '';
const embeddedShape = z.record(z.string(), z.object({ mode: z.number(), content: z.string() }));

function containerdVersion(plan: PackagePlan): string {
  const packed =
    plan.components.find(({ name }) => knownComponent(name)?.name === 'containerd') ??
    // The component may have another name in the versions.json, such as containerd-static.
    plan.components.find(({ name, placement }) =>
      placement.kind === 'file'
        ? placement.path === CONTAINERD_PROGRAM
        : placement.folder === CONTAINERD_FOLDER && name.includes('containerd'),
    );
  return packed?.tag ?? matrixRow(plan.kubernetes)?.containerd ?? '2.0.0';
}

/**
 * Returns the values of the templates for a plan. The pause image is the packed one, else kubeadm's, so that the
 * configuration fits an image that arrives in another way.
 */
export function overlayValues(plan: PackagePlan): OverlayValues {
  const usual = plan.kubeadm?.tags.pause;
  const packed = packedKubeadmImage(plan, 'pause');
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
      message: `{{${action.slice(0, 60)}}} is not a known field`,
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
      message: `its size is ${formatSize(size)}, but the limit is ${formatSize(SIZE_LIMIT)}`,
      hint: 'list large files in versions.json as components with a "uri"',
    });
  }
  return { content: await readFile(path), mode: (mode & 0o100) === 0 ? 0o644 : 0o755 };
}

/** Returns the files of an overlay folder (`--package`), unchanged. Throws `OVERLAY_UNUSABLE`. */
export async function readOverlay(folder: string): Promise<OverlaySource[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    const code = failureCode(cause);
    const message = code === 'ENOENT' ? 'no such folder' : `the overlay folder cannot be read (${code})`;
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
        message: 'it is a link or device, but a package contains only files',
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
 * `TEMPLATE_MALFORMED`, `PATH_UNSAFE` for names that cannot be in a package, or `OVERLAY_UNUSABLE` for those of files that
 * packer writes.
 */
export function overlayFiles(sources: readonly OverlaySource[], values: OverlayValues): OverlayFile[] {
  const files = new Map<string, OverlayFile>();
  for (const { path, about, content, mode } of sources) {
    const name = nameFor(path, values.containerdMajor);
    if (name === undefined) continue;
    if (WRITTEN.test(name)) {
      throw new Failure({
        code: 'OVERLAY_UNUSABLE',
        fault: 'usage',
        about,
        message: `packer writes ${name} itself, to list the contents of the package`,
        hint: 'remove it from the folder of --package, or give it another name',
      });
    }
    const bytes = path.endsWith('.tmpl')
      ? Buffer.from(fill(content.toString('utf8'), values, about))
      : content;
    files.set(name, { entry: bytesEntry(parseTreePath(name, about), bytes, mode), sha256: digestOf(bytes) });
  }
  return [...files.values()].toSorted((one, other) => (one.entry.path < other.entry.path ? -1 : 1));
}

/** Returns the paths at which a component is known to put files, before it is fetched. */
function pathsOf({ placement }: ComponentPlan): string[] {
  if (placement.kind === 'file') return [placement.path];
  return [...(placement.only?.values() ?? [])].map((name) => `${placement.folder}/${name}`);
}

/** Makes sure that no file of an overlay has the path of a file of a component or add-on. Throws `OVERLAY_UNUSABLE`. */
export function requireFreePaths(
  files: readonly OverlayFile[],
  { components, addons }: Pick<PackagePlan, 'components' | 'addons'>,
): void {
  const taken = new Map([
    ...components.flatMap((component) =>
      pathsOf(component).map((path): [string, string] => [path.toLowerCase(), component.name]),
    ),
    ...addons.map(({ name }): [string, string] => [addonPath(name), `the add-on ${name}`]),
  ]);
  for (const { entry } of files) {
    const component = taken.get(entry.path.toLowerCase());
    if (component === undefined) continue;
    throw new Failure({
      code: 'OVERLAY_UNUSABLE',
      fault: 'usage',
      about: entry.path,
      message: `both the folder of --package and ${component} of versions.json contain this file`,
      hint: 'remove one of them',
    });
  }
}
