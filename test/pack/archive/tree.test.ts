import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/lib/failure.ts';
import { type ArchiveEntry, bytesEntry } from '../../../src/pack/archive/entry.ts';
import { orderEntries } from '../../../src/pack/archive/tree.ts';

const file = (path: string): ArchiveEntry => bytesEntry(path, 'x');
const link = (path: string, target: string): ArchiveEntry => ({ kind: 'symlink', path, target });
const paths = (entries: readonly ArchiveEntry[]): string[] => entries.map((entry) => entry.path);

describe('the order of entries', () => {
  test('is by the bytes of the path, with every directory before what it holds', () => {
    const entries = ['b/z', 'a-b', 'a/x', 'C', 'a/é', 'a.txt'].map(file);
    expect(paths(orderEntries(entries))).toEqual(['C', 'a-b', 'a.txt', 'a', 'a/x', 'a/é', 'b', 'b/z']);
  });

  test('puts first what is asked for, with all below a folder', () => {
    const entries = ['a', 'images/index.json', 'keel-package.json', 'SHA256SUMS'].map(file);
    expect(paths(orderEntries(entries, ['keel-package.json', 'images']))).toEqual([
      'keel-package.json',
      'images',
      'images/index.json',
      'SHA256SUMS',
      'a',
    ]);
  });

  test('does not depend on the order in which entries are given', () => {
    const name = fc.stringMatching(/^[a-z]{1,3}(\/[a-z]{1,2}é?){0,2}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (names, random) => {
        const usable = names.filter((one) => !names.some((other) => other.startsWith(`${one}/`)));
        const shuffled = usable
          .map((one) => ({ one, at: random.next().value }))
          .sort((left, right) => left.at - right.at)
          .map(({ one }) => one);
        expect(paths(orderEntries(shuffled.map(file)))).toEqual(paths(orderEntries(usable.map(file))));
      }),
    );
  });

  test('keeps the mode of a directory that is given', () => {
    expect(orderEntries([{ kind: 'directory', path: 'a', mode: 0o700 }, file('a/b')])).toMatchObject([
      { path: 'a', mode: 0o700 },
      { path: 'a/b' },
    ]);
  });
});

describe('entries that are refused, by name', () => {
  test.each<[string, ArchiveEntry[], RegExp]>([
    ['absolute', [file('/etc/passwd')], /"\/etc\/passwd".*absolute/],
    ['leaves the tree', [file('a/../../b')], /"a\/\.\.\/\.\.\/b".*"\.\."/],
    ['here', [file('./a')], /"\.\/a".*"\."/],
    ['an empty part', [file('a//b')], /"a\/\/b".*the part ""/],
    ['a slash at the end', [file('a/')], /"a\/"/],
    ['nothing', [file('')], /"".*empty/],
    ['a line break', [file('a\nb')], /"a\\nb".*control/],
    ['a C1 control', [file('a\u0085b')], /control/],
    ['a backslash', [file('a\\b')], /backslash/],
    ['the name of standard input', [file('-')], /"-".*standard input/],
    ['half a character', [file('a\ud800')], /Unicode/],
    ['a name too long', [file('é'.repeat(128))], /255 bytes/],
    ['a path too long', [file('a/'.repeat(500_000).concat('b'))], /2048 bytes/],
    ['twice', [file('a/b'), file('a/b')], /"a\/b".*twice/],
    ['another case', [file('a/README'), file('a/Readme')], /"a\/Readme".*"a\/README"/],
    ['another case of a folder', [file('a/x'), file('A/y')], /"A".*"a"/],
    ['another normal form', [file('\u00e9'), file('e\u0301')], /case or Unicode form/],
    ['below a file', [file('a'), file('a/b')], /"a\/b".*"a", which is a file/],
    ['below a link', [link('a', 'b'), file('a/b')], /"a\/b".*"a", which is a symlink/],
    ['a mode with setuid', [{ kind: 'directory', path: 'a', mode: 0o4755 }], /"a".*mode/],
    [
      'a negative size',
      [{ kind: 'file', path: 'a', mode: 0, size: -1, content: { kind: 'file', path: '/x' } }],
      /"a".*size -1/,
    ],
    ['an absolute link', [link('a', '/etc')], /"a".*target is absolute/],
    ['a link outside', [link('a/b', '../../c')], /"a\/b".*outside/],
    [
      'a link that steps back through another one',
      [link('a/l', '..'), link('a/m', 'l/../../x')],
      /"a\/m".*after a name/,
    ],
  ])('%s', (_name, entries, told) => {
    const act = (): unknown => orderEntries(entries);
    expect(act).toThrow(Failure);
    try {
      act();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      expect(error.code).toBe('ENTRY_UNUSABLE');
      expect(`${error.about}: ${error.message}`).toMatch(told);
    }
  });

  test.each([
    ['/etc/passwd', 'write it without the first "/"'],
    ['./a', 'write the path without ".", ".." and "//"'],
    ['-', 'rename it'],
  ])('%s, with what to do', (path, hint) => {
    expect(() => orderEntries([file(path)])).toThrow(
      expect.objectContaining({ code: 'ENTRY_UNUSABLE', hint }),
    );
  });

  test('links within the tree are fine', () => {
    expect(orderEntries([link('a/b/c', '../../d/e'), link('f', 'a')])).toHaveLength(4);
  });
});
