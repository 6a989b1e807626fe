import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { circlesOf, exportsOf } from './exports.ts';
import { type Module, readModules } from './modules.ts';

/** Reads files as if they were a repository. */
function read(files: Readonly<Record<string, string>>): readonly Module[] {
  const root = mkdtempSync(join(tmpdir(), 'keel-house-'));
  try {
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      allowImportingTsExtensions: true,
      noEmit: true,
    };
    const settings = JSON.stringify({ compilerOptions, include: ['src', 'test'] });
    for (const [path, text] of Object.entries({ 'tsconfig.json': settings, ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return readModules(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const IMPORTS: readonly (readonly [
  text: string,
  imports: readonly (readonly [string, string | undefined, unknown])[],
])[] = [
  [`import { a } from './a.ts';`, [['./a.ts', 'src/lib/a.ts', ['a']]]],
  [`import type { A } from '../b/a.ts';`, [['../b/a.ts', 'src/b/a.ts', ['A']]]],
  [`import { type A, b as c } from './a.ts';`, [['./a.ts', 'src/lib/a.ts', ['A', 'b']]]],
  [`import {\n  a,\n  b,\n} from './a.ts';`, [['./a.ts', 'src/lib/a.ts', ['a', 'b']]]],
  [`import a from './a.ts';`, [['./a.ts', 'src/lib/a.ts', ['default']]]],
  [`import a, { b } from './a.ts';`, [['./a.ts', 'src/lib/a.ts', ['default', 'b']]]],
  [`import * as a from './a.ts';`, [['./a.ts', 'src/lib/a.ts', 'everything']]],
  [`import './a.ts';`, [['./a.ts', 'src/lib/a.ts', []]]],
  [`import 'node:fs';`, [['node:fs', undefined, []]]],
  [`export { a } from './a.ts';`, [['./a.ts', 'src/lib/a.ts', ['a']]]],
  [`export { a as b } from './a.ts';`, [['./a.ts', 'src/lib/a.ts', ['a']]]],
  [`export * from './a.ts';`, [['./a.ts', 'src/lib/a.ts', 'everything']]],
  [`const { a, b: c } = await import(/* eager */ './a.ts');`, [['./a.ts', 'src/lib/a.ts', ['a', 'b']]]],
  [`const { default: a } = await import('./a.json');`, [['./a.json', 'src/lib/a.json', ['default']]]],
  [`const a = await import('./a.ts');`, [['./a.ts', 'src/lib/a.ts', 'everything']]],
  [`type A = typeof import('@actions/cache');`, [['@actions/cache', undefined, 'everything']]],
  [`// import { a } from './a.ts';\nconst a = "import { a } from './a.ts'";`, []],
];

const EXPORTS: readonly (readonly [text: string, exports: readonly string[]])[] = [
  ['export function a(): void {}\nfunction b(): void {}', ['a']],
  ['export async function* a(): AsyncGenerator<void> {}', ['a']],
  ['export const a = 1, b = 2;', ['a', 'b']],
  ['export abstract class A {}', ['A']],
  ['export interface A {}\nexport type B = A;', ['A', 'B']],
  ['const a = 1;\nexport { a, a as b };', ['a', 'b']],
  [`export type { A } from './a.ts';`, ['A']],
  ['export default {};', ['default']],
  ['export default function a(): void {}', ['default']],
];

const BRANCHES: readonly (readonly [text: string, branches: boolean])[] = [
  ['const a = 1;', false],
  ['type A<B> = B extends string ? 1 : 2;', false],
  ['export const a = (b?: { c: number }) => b?.c;', false],
  ['// if (a) b();\nexport const a = "a ? b : c";', false],
  ['export const a = (b: number) => [b].map((c) => c + 1);', false],
  ['if (process.pid > 1) process.exit();', true],
  ['export const a = process.pid > 1 ? 1 : 2;', true],
  ['export const a = (b: boolean) => b && 1;', true],
  ['export const a = (b: boolean) => b || 1;', true],
  ['export const a = (b?: number) => b ?? 1;', true],
  ['export const a = (b?: number) => { b ??= 1; };', true],
  ['for (const a of []) process.exit(a);', true],
  ['while (process.pid > 1) process.exit();', true],
  ['switch (process.pid) { default: }', true],
  ['try { process.exit(); } catch {}', true],
  ['try { process.exit(); } finally { process.exit(); }', false],
];

/** All at once: the compiler takes its time to begin. */
const samples = read(
  Object.fromEntries(
    [...IMPORTS, ...EXPORTS, ...BRANCHES].map(([text], index) => [`src/lib/${index}.ts`, text]),
  ),
);

function sampleOf(text: string): Module {
  const index = [...IMPORTS, ...EXPORTS, ...BRANCHES].findIndex(([other]) => other === text);
  const sample = samples.find(({ path }) => path === `src/lib/${index}.ts`);
  if (sample === undefined) throw new Error('it was not read');
  return sample;
}

test.each(IMPORTS)('reads the imports of %j', (text, imports) => {
  expect(sampleOf(text).imports.map(({ specifier, target, names }) => [specifier, target, names])).toEqual(
    imports,
  );
});

test.each(EXPORTS)('reads the exports of %j', (text, exports) => {
  expect(sampleOf(text).exports).toEqual(exports);
});

test.each(BRANCHES)('says whether there is branching logic in %j', (text, branches) => {
  expect(sampleOf(text).branches).toBe(branches);
});

test('counts lines and keeps texts', () => {
  expect(read({ 'src/a.ts': `const a = 'b';\nconst c = \`d\`;\n` })).toMatchObject([
    { path: 'src/a.ts', lines: 2, strings: ['b', 'd'] },
  ]);
});

test('tells who uses an export', () => {
  const modules = read({
    'src/a.ts': 'export const a = 1;\nexport const b = 2;\nexport const c = 3;\nexport const d = 4;\n',
    'src/b.ts': `import { a, b as e } from './a.ts';\nprocess.exit(a + e);\n`,
    'test/a.test.ts': `import * as all from '../src/a.ts';\nprocess.exit(all.a);\n`,
    'test/b.test.ts': `import { a } from './a.ts';\nprocess.exit(a);\n`,
  });
  expect(exportsOf(modules).map(({ path, name, users }) => [path, name, [...users].sort()])).toEqual([
    ['src/a.ts', 'a', ['src', 'test']],
    ['src/a.ts', 'b', ['src', 'test']],
    ['src/a.ts', 'c', ['test']],
    ['src/a.ts', 'd', ['test']],
  ]);
});

test('finds what imports itself in a circle', () => {
  const modules = read({
    'src/a.ts': `import './b.ts';`,
    'src/b.ts': `import './c.ts';`,
    'src/c.ts': `import './d.ts';`,
    'src/d.ts': `import './b.ts';\nimport './e.ts';`,
    'src/e.ts': 'export {};',
  });
  expect([...circlesOf(modules)].sort()).toEqual(['src/b.ts', 'src/c.ts', 'src/d.ts']);
});
