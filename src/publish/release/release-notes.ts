import { formatSize } from '../../lib/text/size.ts';
import { digestHex } from '../../registry/oci/digest.ts';
import type { PackageFile } from '../target/target.ts';
import type { PackagePart } from './release-parts.ts';

/** Returns the commands that turn what was downloaded into the package and check it. */
function joinCommands(file: PackageFile, parts: readonly PackagePart[]): string[] {
  const check = `echo "${digestHex(file.sha256)}  ${file.name}" | sha256sum -c -`;
  return parts.length === 1 ? [check] : [`cat ${file.name}.part??? > ${file.name}`, check];
}

function markers(name: string): { open: string; close: string } {
  return { open: `<!-- keel-package ${name} -->`, close: `<!-- /keel-package ${name} -->` };
}

/** Returns whether release notes were begun by this program. */
export function areOwnNotes(notes: string): boolean {
  return notes.trimStart().startsWith('<!-- keel-package ');
}

/** Returns release notes with the section of a package put in, or put anew where they have one; the rest stays. */
export function updateNotes(notes: string, file: PackageFile, parts: readonly PackagePart[]): string {
  const { open, close } = markers(file.name);
  const many = parts.length > 1;
  const lines = [
    open,
    `### ${file.name}`,
    '',
    `${formatSize(file.size)}${many ? ` in ${parts.length} parts` : ''}. After downloading ${many ? 'all parts' : 'it'}:`,
    '',
    '```sh',
    ...joinCommands(file, parts),
    '```',
    close,
  ];
  const section = lines.join('\n');
  const end = notes.lastIndexOf(close);
  // Someone may have removed the end of an older section by hand; what they wrote below it is theirs.
  const start = end < 0 ? -1 : notes.lastIndexOf(open, end);
  if (start >= 0) return notes.slice(0, start) + section + notes.slice(end + close.length);
  return notes.trim() === '' ? `${section}\n` : `${notes.trimEnd()}\n\n${section}\n`;
}
