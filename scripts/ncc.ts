import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { embedPackage } from './embed-package.ts';

/**
 * Bundles an entry into a folder, with this repository's own ncc and from its root: module ids depend on both. The
 * files of package/ are put into the bundle.
 */
export function bundle(entry: string, folder: string, options: readonly string[] = []): void {
  const ncc = join('node_modules', '@vercel', 'ncc', 'dist', 'ncc', 'cli.js');
  execFileSync(process.execPath, [ncc, 'build', entry, '-o', folder, '--no-cache', '-q', ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // ncc turns an import of a missing file into an error at run time.
  const lost = /@@notfound\.js\?([^'"]+)/.exec(readFileSync(join(folder, 'index.js'), 'utf8'))?.[1];
  if (lost !== undefined) throw new Error(`${entry} imports ${lost}, which does not exist`);
  embedPackage(folder);
}
