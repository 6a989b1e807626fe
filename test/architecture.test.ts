import { readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { circlesOf, exportsOf } from './house/exports.ts';
import { FLOORS, ROOMS, type Rooms } from './house/floors.ts';
import { readModules } from './house/modules.ts';

/** So that a folder can be taken in at a glance. */
const MOST_FILES = 25;
/** A stop and not a goal: an idea decides where a file ends. */
const MOST_LINES = 400;
const NAMES_THAT_SAY_NOTHING = /^(?:utils?|helpers?|common|types|misc|shared)$/;

/** Returns the floor of a file of src/: its first folder, and `.` for the entries. */
function floorOf(path: string): string {
  const [, floor = '.', ...rest] = path.split('/');
  return rest.length === 0 ? '.' : floor;
}

/** Returns the room of a file within its floor: its second folder, and `.` for the files beside the folders. */
function roomOf(path: string): string {
  const [, , room = '.', ...rest] = path.split('/');
  return rest.length === 0 ? '.' : room;
}

function levelOf(path: string, rooms: Rooms): number {
  return rooms.findIndex((level) => level.includes(roomOf(path)));
}

/** Returns whether a file of src/ may import another by the tables of floors and rooms. */
function mayImport(path: string, target: string): boolean {
  const floor = floorOf(path);
  if (floorOf(target) !== floor) return FLOORS[floor]?.includes(floorOf(target)) === true;
  const rooms = ROOMS[floor];
  if (rooms === undefined || roomOf(path) === roomOf(target)) return true;
  return levelOf(target, rooms) < levelOf(path, rooms);
}

/** Returns the imports of a file of src/ that are against the rules. */
function wrongImports(path: string, specifiers: readonly string[]): readonly string[] {
  return specifiers.flatMap((name) => {
    if (name.startsWith('@actions/')) return floorOf(path) === 'actions' ? [] : [`${path}: ${name}`];
    if (!name.startsWith('.')) return [];
    const target = normalize(join(dirname(path), name));
    return mayImport(path, target) ? [] : [`${path}: ${target}`];
  });
}

const modules = readModules('.');
const sources = modules.filter(({ path }) => path.startsWith('src/'));

test('every import of src/ is seen', () => {
  const { imports = [] } = sources.find(({ path }) => path === 'src/cli/foreground.ts') ?? {};
  expect(imports.map(({ specifier }) => specifier)).toEqual(
    expect.arrayContaining(['node:events', '../lib/failure.ts', './terminal-reporter.ts']),
  );
});

describe('dependencies point one way', () => {
  test('in src/', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      wrongImports(
        path,
        imports.map(({ specifier }) => specifier),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test.each([
    ['registry/registries.ts', '../sync/state/state.ts'],
    ['lib/text/size.ts', '../../registry/oci/digest.ts'],
    ['signatures/verdict.ts', '../sync/state/state.ts'],
    ['sync/run/run.ts', '../../pack/plan/plan.ts'],
    ['sync/run/run.ts', '@actions/core'],
    ['cli/synctl-dispatch.ts', '../actions/inputs.ts'],
    ['sync/state/hint.ts', '../../cli/stream.ts'],
    ['config/flags/flag.ts', '../../synctl.ts'],
    ['lib/text/size.ts', '../failure.ts'],
    ['lib/retry.ts', './http/http.ts'],
    ['registry/oci/digest.ts', '../registry.ts'],
    ['sync/settings.ts', './run/run.ts'],
    ['sync/plan/naming.ts', '../copy/format.ts'],
    ['sync/select/selection.ts', '../state/state.ts'],
    ['sync/check/checking.ts', '../doctor/doctor.ts'],
    ['pack/archive/tree.ts', '../settings.ts'],
    ['publish/qiniu/kodo-region.ts', '../release/release-parts.ts'],
  ])('src/%s may not import %s', (path, name) => {
    expect(wrongImports(`src/${path}`, [name])).toHaveLength(1);
  });
});

test('no files import each other in a circle', () => {
  expect(circlesOf(sources)).toEqual([]);
});

test('every folder has a rule', () => {
  const unknown = sources
    .map(({ path }) => path)
    .filter((path) => {
      const rooms = ROOMS[floorOf(path)];
      const isKnown = rooms === undefined ? roomOf(path) === '.' : levelOf(path, rooms) >= 0;
      return FLOORS[floorOf(path)] === undefined || !isKnown;
    });
  expect(unknown, 'write its folder into test/house/floors.ts').toEqual([]);
});

test('every rule has a folder', () => {
  const rooms = Object.entries(ROOMS).flatMap(([floor, levels]) =>
    levels.flat().map((room) => `${floor} ${room}`),
  );
  const seen = new Set(sources.map(({ path }) => `${floorOf(path)} ${roomOf(path)}`));
  expect(rooms.filter((room) => !seen.has(room))).toEqual([]);
});

test(`no folder has more than ${MOST_FILES} files`, () => {
  const folders = Map.groupBy(sources, ({ path }) => dirname(path));
  const full = [...folders].filter(([, files]) => files.length > MOST_FILES).map(([folder]) => folder);
  expect(full).toEqual([]);
});

test(`no file has more than ${MOST_LINES} lines`, () => {
  const long = sources.filter(({ lines }) => lines > MOST_LINES).map(({ path }) => path);
  expect(
    long,
    'this is a stop, not a goal: look for the second idea in the file, and do not cut it by size',
  ).toEqual([]);
});

test('every file says by its name what it is', () => {
  const names = sources
    .map(({ path }) => path)
    .filter((path) => NAMES_THAT_SAY_NOTHING.test(basename(path, '.ts')));
  expect(names).toEqual([]);
});

test('no comment points to a document that is not in the repository', () => {
  const pointing = sources
    .map(({ path }) => path)
    .filter((path) => /\bdesign(?:\.md| \d)/.test(readFileSync(path, 'utf8')));
  expect(pointing).toEqual([]);
});

/** What is bundled is ours, and read as it is. */
const PARSERS = ['src/lib/json.ts', 'src/lib/json-members.ts', 'src/pack/contents/overlay.ts'];
/** What people write is told all that is wrong with it, and a report's shape is its published schema too. */
const COMPLETE_SHAPES = /^src\/(?:config\/|lib\/zero-value|sync\/report\/report|pack\/contents\/overlay)/;

describe('JSON of others is bounded before it is made', () => {
  const texts = sources.map(({ path }) => ({ path, text: readFileSync(path, 'utf8') }));

  test('by the readers that ask what it would cost', () => {
    const parsing = texts.filter(({ text }) => /\bJSON\.parse\(/.test(text)).map(({ path }) => path);
    expect(parsing.toSorted(), 'use readJson, parseJson or readMembers of src/lib').toEqual(
      PARSERS.toSorted(),
    );
  });

  test('by shapes that end at the first wrong item', () => {
    const collecting = texts
      .filter(
        ({ path, text }) =>
          !COMPLETE_SHAPES.test(path) &&
          /\bz\.(?:array|record)\((?!z\.unknown\(\)|z\.string\(\), z\.unknown\(\))/.test(text),
      )
      .map(({ path }) => path);
    expect(collecting, 'use eachOf, listOf or recordOf of src/lib/zero-value.ts').toEqual([]);
  });
});

describe('an export', () => {
  const exported = exportsOf(modules);

  test('has a name that stands for nothing else', () => {
    const names = Map.groupBy(exported, ({ name }) => name);
    const twice = [...names].filter(([, places]) => places.length > 1).map(([name]) => name);
    expect(twice).toEqual([]);
  });

  test('is imported by something', () => {
    const unused = exported
      .filter(({ users }) => users.size === 0)
      .map(({ path, name }) => `${path}: ${name}`);
    expect(unused, 'drop the word export, or the thing').toEqual([]);
  });

  test('is there for more than tests', () => {
    const tested = exported
      .filter(({ users }) => users.has('test') && users.size === 1)
      .map(({ path, name }) => `${path}: ${name}`);
    expect(tested, 'test it through what is used').toEqual([]);
  });
});
