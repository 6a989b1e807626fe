import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchFolder } from '../support/scratch-folder.ts';

const PAGE = 'CONTRIBUTING.md';
/** What the code and the documents that are made of it need. */
const COPIED = [
  'src',
  'scripts',
  'bench',
  'docs',
  'README.md',
  'action-pack',
  'action-sync',
  'package.json',
  'package-lock.json',
  'LICENSE',
];

/** Returns the files that a page shows whole, by path: the name stands in the paragraph before the code. */
function filesOf(page: string): ReadonlyMap<string, string> {
  const shown = page.matchAll(/`(src\/[^`]+\.ts)`[^`]*\n\n```ts\n([\s\S]*?)^```$/gm);
  return new Map([...shown].map(([, path = '', text = '']) => [path, text]));
}

/** Returns a copy of this repository, without its tests. */
function copyRepository(): string {
  const folder = scratchFolder();
  for (const name of COPIED) cpSync(name, join(folder, name), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  const { compilerOptions } = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
  const options = { ...compilerOptions, noEmit: true, incremental: false, tsBuildInfoFile: undefined };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, include: ['src'] }),
  );
  return folder;
}

test('the sketch of a target is one folder and one line, and all that a target needs', () => {
  const page = readFileSync(PAGE, 'utf8');
  const files = filesOf(page);
  expect([...files.keys()].map(dirname)).toEqual(['src/publish/cos', 'src/publish/cos']);
  const folder = copyRepository();
  const run = (program: string, ...options: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(program, options, { cwd: folder, encoding: 'utf8' });
    expect({ program, status, output: status === 0 ? '' : stdout + stderr }).toMatchObject({ status: 0 });
    return stdout;
  };
  // A repository that has this target by now is a good place to try it in, too.
  rmSync(join(folder, 'src/publish/cos'), { recursive: true, force: true });
  mkdirSync(join(folder, 'src/publish/cos'));
  for (const [path, text] of files) writeFileSync(join(folder, path), text);
  const targets = join(folder, 'src/publish/targets.ts');
  const [, line = ''] = /`(\[\.\.\., COS\])`/.exec(page) ?? [];
  expect(line).not.toBe('');
  const others = readFileSync(targets, 'utf8')
    .replace(/^import \{ COS \}.*\n/m, '')
    .replace(', COS]', ']');
  const withCos = others.replace(
    /(TARGETS = \[)([A-Z, ]+)\]/,
    (_all, start, list) => `${start}${line.slice(1).replace('...', list)}`,
  );
  expect(withCos).not.toBe(others);
  writeFileSync(targets, `import { COS } from './cos/cos-kind.ts';\n${withCos}`);

  run(join(folder, 'node_modules/.bin/tsc'), '-p', 'tsconfig.json');
  const help = run(process.execPath, 'src/packer.ts', 'push', '--help').replaceAll(/\s+/g, ' ');
  expect(help).toMatch(/Targets to publish to: qiniu, [a-z, ]+, cos or none/);
  expect(help).toContain(' or to Tencent COS.');
  expect(help).toContain('Tencent COS: --cos-bucket NAME Bucket that receives the package --cos-secret-key');
  run(process.execPath, 'scripts/docs.ts');
  const metadata = readFileSync(join(folder, 'action-pack/action.yml'), 'utf8');
  expect(metadata).toContain("  # Tencent COS\n  cos-bucket:\n    description: 'Bucket that receives");
  expect(readFileSync(join(folder, 'docs/pack.md'), 'utf8')).toContain('| `--cos-secret-key KEY` |');
});
