import { digestHex } from '../../registry/oci/digest.ts';
import type { PackageFile } from './target.ts';

/** Text that a shell needs no quotes for. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** Returns any text as one word of a shell. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Returns the command that downloads a package from an address and compares its SHA-256. */
export function downloadCommand(address: string, file: Pick<PackageFile, 'name' | 'sha256'>): string {
  return `curl -fLo ${shellWord(file.name)} ${shellWord(address)} && ${comparisonCommand(file)}`;
}

/** Returns the command that compares the SHA-256 of a package that was downloaded. */
export function comparisonCommand({ name, sha256 }: Pick<PackageFile, 'name' | 'sha256'>): string {
  return `echo ${shellWord(`${digestHex(sha256)}  ${name}`)} | sha256sum -c -`;
}
