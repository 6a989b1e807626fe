import { expect, test } from 'vitest';
import { COVERED_BY } from './covered-by.ts';
import { type Module, readModules } from './modules.ts';
import { reachedFrom, testOf } from './tests.ts';

const modules = readModules('.');
const sources = modules.filter(({ path }) => path.startsWith('src/'));
const deciding = sources.filter(({ branches }) => branches).map(({ path }) => path);

/** Tested through an action of its own, test/fixtures/actions/state, which is JavaScript. */
const RUN_BY_FIXTURE = 'src/actions/state-cache.ts';

function isThere(path: string): boolean {
  return modules.some((each) => each.path === path);
}

test('every file that decides anything has a test of its name, or is in the table of those that another test covers', () => {
  const untested = deciding.filter(
    (path) => testOf(path, modules) === undefined && COVERED_BY[path] === undefined,
  );
  expect(untested, 'add test/<part>/<file>.test.ts, or a line to test/house/covered-by.ts').toEqual([]);
});

test('a test of the name of a file leads to it', () => {
  const strangers = deciding.filter((path) => {
    const own = testOf(path, modules);
    return own !== undefined && path !== RUN_BY_FIXTURE && !reachedFrom(own, modules).has(path);
  });
  expect(strangers).toEqual([]);
});

test('the table has only files that decide and have no test of their name', () => {
  const rows = Object.keys(COVERED_BY);
  expect(rows.filter((path) => !isThere(path) || testOf(path, modules) !== undefined)).toEqual([]);
  expect(rows.filter((path) => !deciding.includes(path))).toEqual([]);
});

test('the tests in the table are there, and lead to what they cover', () => {
  const wrong = Object.entries(COVERED_BY)
    .filter(([path, covering]) => !isThere(covering) || !reachedFrom(covering, modules).has(path))
    .map(([path, covering]) => `${path}: ${covering}`);
  expect(wrong).toEqual([]);
});

/** A file with nothing in it but where it stands and what it leads to. */
function file(path: string, leadsTo: readonly string[] = [], strings: readonly string[] = []): Module {
  const imports = leadsTo.map((target) => ({ specifier: './it.ts', target, names: [] }));
  return { path, lines: 1, imports, exports: [], branches: true, strings };
}

test('a test is found by name, in the part of its file', () => {
  const files = [
    'src/a/one.ts',
    'src/a/b/two.ts',
    'src/a/b/settings.ts',
    'src/a/c/settings.ts',
    'src/d/one.ts',
    'test/a/one.test.ts',
    'test/a/deep/two.test.ts',
    'test/a/b/settings.test.ts',
    'test/a/settings.test.ts',
  ].map((path) => file(path));
  expect(
    ['src/a/one.ts', 'src/a/b/two.ts', 'src/a/b/settings.ts', 'src/a/c/settings.ts', 'src/d/one.ts'].map(
      (path) => testOf(path, files),
    ),
  ).toEqual([
    'test/a/one.test.ts',
    'test/a/deep/two.test.ts',
    'test/a/b/settings.test.ts',
    undefined,
    undefined,
  ]);
});

test('a test leads to what it imports, and to the programs that it runs', () => {
  const files = [
    file('test/a.test.ts', ['test/support.ts', 'src/lib/a.ts'], ['a text']),
    file('test/support.ts', [], ['../src/tool.ts', 'action-sync', 'build/src/other.js', 'src/none.ts']),
    file('src/tool.ts', ['src/lib/b.ts']),
    file('src/action-sync.ts'),
    // What the code itself names is not run by it.
    file('src/lib/a.ts', [], ['src/lib/c.ts']),
    file('src/lib/c.ts'),
    file('src/lib/b.ts'),
    file('src/other.ts'),
  ];
  expect([...reachedFrom('test/a.test.ts', files)].toSorted()).toEqual([
    'src/action-sync.ts',
    'src/lib/a.ts',
    'src/lib/b.ts',
    'src/other.ts',
    'src/tool.ts',
    'test/a.test.ts',
    'test/support.ts',
  ]);
});
