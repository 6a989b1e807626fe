import { createHash, randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { bundle } from '../../scripts/ncc.ts';

const COMPILED = 'build/src';

/**
 * Returns the folder of an action whose bundle is made of the compiled sources (`npm run compile`), just as `make dist`
 * makes the committed one. Bundling takes seconds, so a bundle is kept under build/ until the sources change.
 */
export function bundledAction(name: 'action-sync' | 'action-pack'): string {
  const root = path.resolve('build/test-bundles', `${name}-${digestOfSources(name)}`);
  const folder = path.join(root, name);
  if (!existsSync(root)) {
    // Test files run at the same time: each makes its own, and the first one done stays.
    const draft = `${root}-${randomUUID()}`;
    mkdirSync(path.join(draft, name), { recursive: true });
    bundle(path.join(COMPILED, `${name}.js`), path.join(draft, 'dist', name));
    copyFileSync(path.join(name, 'action.yml'), path.join(draft, name, 'action.yml'));
    try {
      renameSync(draft, root);
    } catch (error) {
      rmSync(draft, { recursive: true });
      if (!existsSync(root)) throw error;
    }
  }
  return folder;
}

function digestOfSources(name: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(COMPILED, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (file.endsWith('.js')) hash.update(readFileSync(path.join(COMPILED, file)));
  }
  for (const file of ['package-lock.json', `${name}/action.yml`, ...packageFiles()]) {
    hash.update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 12);
}

/** Bundles carry the files of package/ within. */
function packageFiles(): string[] {
  return readdirSync('package', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted();
}
