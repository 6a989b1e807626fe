import { formatSize } from '../../lib/text/size.ts';
import { comparisonCommand } from '../contract/download-command.ts';
import type { PackageFile } from '../contract/target.ts';
import type { PackagePart } from './release-parts.ts';

/** Returns the commands that join the downloaded parts and verify the package. */
function joinCommands(file: PackageFile, parts: readonly PackagePart[]): string[] {
  const check = comparisonCommand(file);
  return parts.length === 1 ? [check] : [`cat ${file.name}.part??? > ${file.name}`, check];
}

function markers(name: string): { open: string; close: string } {
  return { open: `<!-- keel-package ${name} -->`, close: `<!-- /keel-package ${name} -->` };
}

/** Returns whether packer started the release notes. */
export function areOwnNotes(notes: string): boolean {
  return notes.trimStart().startsWith('<!-- keel-package ');
}

/** Returns release notes with the section of a package added or replaced; the rest is unchanged. */
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
  // The end marker of an older section may have been removed by hand; the text below it does not belong to packer.
  const start = end < 0 ? -1 : notes.lastIndexOf(open, end);
  if (start >= 0) return notes.slice(0, start) + section + notes.slice(end + close.length);
  return notes.trim() === '' ? `${section}\n` : `${notes.trimEnd()}\n\n${section}\n`;
}
