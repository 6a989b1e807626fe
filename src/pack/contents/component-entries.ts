import type { Digest } from '../../registry/oci/digest.ts';
import type { FileEntry } from '../archive/entry.ts';
import type { FetchedComponent } from '../fetch/component-fetch.ts';
import {
  ArchiveContents,
  type ArchiveLimits,
  DEFAULT_ARCHIVE_LIMITS,
  listArchive,
} from './component-archive.ts';

/** One file of the package, with the digest under which its list of checksums has it. */
export interface TreeFile {
  readonly entry: FileEntry;
  readonly sha256: Digest;
  /** The component that it comes from, as the versions.json calls it. */
  readonly component: string;
}

const PROGRAM = 0o755;
const DATA = 0o644;

/**
 * Returns the files that a fetched component puts into the package: the download as it is, or what its archive holds.
 * Archives are unpacked twice, here to hash and when they are written, and staged nowhere. Owners, times and modes
 * are the package's own. Throws what `listArchive` throws.
 */
export async function componentEntries(
  component: FetchedComponent,
  signal: AbortSignal,
  limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS,
): Promise<TreeFile[]> {
  const { file, size, sha256, plan } = component;
  const { placement, name } = plan;
  if (placement.kind === 'file') {
    const mode = placement.executable ? PROGRAM : DATA;
    const entry: FileEntry = {
      kind: 'file',
      path: placement.path,
      mode,
      size,
      content: { kind: 'file', path: file },
    };
    return [{ entry, sha256, component: name }];
  }
  const about = `${name} ${plan.tag}`;
  const files = await listArchive(file, placement, about, limits, signal);
  const contents = new ArchiveContents(file, about, files);
  return files.map((archived) => ({
    entry: {
      kind: 'file',
      path: `${placement.folder}/${archived.name}`,
      mode: archived.isExecutable ? PROGRAM : DATA,
      size: archived.size,
      content: { kind: 'stream', open: async (opened) => contents.read(archived, opened) },
    },
    sha256: archived.sha256,
    component: name,
  }));
}
