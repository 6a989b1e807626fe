import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { embedPackage } from './embed-package.ts';

/** Bundles an entry into a folder, with this repository's own ncc and from its root: module ids depend on both. What packages hold goes into it. */
export function bundle(entry: string, folder: string, options: readonly string[] = []): void {
  const ncc = join('node_modules', '@vercel', 'ncc', 'dist', 'ncc', 'cli.js');
  execFileSync(process.execPath, [ncc, 'build', entry, '-o', folder, '--no-cache', '-q', ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  embedPackage(folder);
}
