import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

/** What each folder of src/ may import besides itself. `.` holds the entries, which only wire. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  '.': ['actions', 'cli', 'process'],
  actions: ['process', 'summary', 'sync', 'pack', 'publish', 'registry', 'config', 'lib'],
  cli: ['process', 'summary', 'sync', 'pack', 'publish', 'registry', 'config', 'lib'],
  // Pages about what became of a run, of either tool.
  summary: ['sync', 'pack', 'publish', 'lib'],
  sync: ['signatures', 'registry', 'config', 'lib'],
  pack: ['signatures', 'registry', 'config', 'lib'],
  // Whose images these are: both tools ask, and both have the answer in their results.
  signatures: ['registry', 'config', 'lib'],
  publish: ['registry', 'config', 'lib'],
  // The image set and versions.json name images, so config speaks of references; the registry knows no configuration.
  config: ['registry', 'lib'],
  registry: ['lib'],
  // How a process begins and ends: signals, exit codes, version, credential helpers.
  process: ['lib'],
  lib: [],
};
const MOST_LINES = 250;
const NAMES_THAT_SAY_NOTHING = /^(?:utils?|helpers?|common|types|misc|shared)$/;
const IMPORT = /\b(?:from\s+|import\s+|import\(\s*(?:\/\*.*?\*\/\s*)?)'([^']+)'/g;

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function readSources(): readonly SourceFile[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join('src', path), 'utf8');
      const imports = [...text.matchAll(IMPORT)].map((match) => match[1] ?? '');
      return { path, folder: folderOf(path), text, imports };
    });
}

function folderOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '.') : '.';
}

/** Returns the imports of a file that the table of folders does not allow. */
function wrongImports({ path, folder, imports }: Pick<SourceFile, 'path' | 'folder' | 'imports'>): string[] {
  return imports.flatMap((name) => {
    if (name.startsWith('@actions/')) return folder === 'actions' ? [] : [`src/${path}: ${name}`];
    if (!name.startsWith('.')) return [];
    const target = normalize(join(dirname(path), name));
    const allowed = folderOf(target) === folder || MAY_IMPORT[folder]?.includes(folderOf(target));
    return allowed === true ? [] : [`src/${path}: src/${target}`];
  });
}

const sources = readSources();

test('every import of src/ is seen', () => {
  expect(sources.find(({ path }) => path === 'cli/foreground.ts')?.imports).toEqual(
    expect.arrayContaining(['node:events', '../lib/failure.ts', './terminal-reporter.ts']),
  );
});

describe('dependencies point one way', () => {
  test('in src/', () => {
    expect(sources.flatMap(wrongImports)).toEqual([]);
  });

  test.each([
    ['registry/client.ts', '../sync/state/state.ts'],
    ['lib/text/size.ts', '../../registry/oci/digest.ts'],
    ['signatures/verdict.ts', '../sync/state/state.ts'],
    ['sync/run/run.ts', '../../pack/plan/plan.ts'],
    ['sync/run/run.ts', '@actions/core'],
    ['cli/synctl.ts', '../actions/inputs.ts'],
    ['sync/state/hint.ts', '../../cli/stream.ts'],
    ['config/flags/flag.ts', '../../synctl.ts'],
  ])('%s may not import %s', (path, name) => {
    expect(wrongImports({ path, folder: folderOf(path), imports: [name] })).toHaveLength(1);
  });
});

test('every folder has a rule', () => {
  expect(sources.map(({ folder }) => folder).filter((folder) => !(folder in MAY_IMPORT))).toEqual([]);
});

test(`no file has more than ${MOST_LINES} lines`, () => {
  const long = sources
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > MOST_LINES);
  expect(long).toEqual([]);
});

test('every file says by its name what it is', () => {
  const names = sources
    .map(({ path }) => path)
    .filter((path) => NAMES_THAT_SAY_NOTHING.test(basename(path, '.ts')));
  expect(names).toEqual([]);
});
