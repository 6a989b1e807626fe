import { createHash, randomUUID } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { bundle } from '../../scripts/ncc.ts';

const COMPILED = 'build/src';

/**
 * Gives the folder of an action whose bundle is made of the compiled sources as they are now, just as `make dist` makes
 * the committed one. Bundling takes seconds, so a bundle is kept under build/ until the sources change.
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
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!file.endsWith('.ts')) continue;
    const compiled = path.join(COMPILED, file.replace(/\.ts$/, '.js'));
    if (!existsSync(compiled) || statSync(compiled).mtimeMs < statSync(path.join('src', file)).mtimeMs) {
      throw new Error(`src/${file} is newer than what was compiled from it: run "npm run compile" first`);
    }
    hash.update(readFileSync(compiled));
  }
  for (const file of ['package-lock.json', `${name}/action.yml`]) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}
