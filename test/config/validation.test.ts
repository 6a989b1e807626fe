import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { ConfigurationFailure, formatPlace } from '../../src/config/problem.ts';
import { reportedFailures } from '../../src/config/reported-failure.ts';
import { textOf, validate } from '../../src/config/validation.ts';
import { parseVersions } from '../../src/config/versions.ts';
import { describeFailure } from '../../src/lib/failure.ts';
import { parseReference } from '../../src/registry/oci/reference.ts';

const schema = z.strictObject({
  arch: z.enum(['amd64', 'arm64']).optional(),
  images: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        tag: z.string(),
        count: z.int().min(1).optional(),
        from: textOf(parseReference).optional(),
      }),
    )
    .optional(),
  choice: z.union([z.string(), z.strictObject({ since: z.string() })]).optional(),
  word: z.union([z.literal('off'), z.strictObject({ since: z.string() })]).optional(),
  some: z.array(z.number()).min(1).max(2).optional(),
});

function problemsOf(text: string): string[] {
  try {
    validate(parseDocument('f.json', text), schema);
  } catch (error) {
    if (!(error instanceof ConfigurationFailure)) throw error;
    return error.problems.map(({ place, message }) => `${place.line}:${place.column} ${message}`);
  }
  return [];
}

describe('a configuration file says what is wrong with it', () => {
  test.each<[string, string, string[]]>([
    ['comments and trailing commas', '{ // why\n "arch": "arm64", /* x */ }', []],
    ['a byte order mark', '\uFEFF{"arch": "arm64"}', []],
    ['an empty file', '', ['1:1 expected a value, found the end of the file']],
    ['a list at the top', '[]', ['1:1 expected an object { … }, found an empty list']],
    [
      'unknown keys, each at its place',
      '{\n  "imags": [],\n  "extra": 1}',
      [
        '2:3 "imags" is not a known key; did you mean "images"?',
        '3:3 "extra" is not a known key; known keys are "arch", "images", "choice", "word" or "some"',
      ],
    ],
    [
      'a prototype',
      '{"__proto__": {}}',
      ['1:2 "__proto__" is not a known key; known keys are "arch", "images", "choice", "word" or "some"'],
    ],
    ['a wrong type', '{"images": "a"}', ['1:12 expected a list [ … ], found "a"']],
    [
      'a mistyped word',
      '{"arch": "amd46"}',
      ['1:10 expected "amd64" or "arm64", found "amd46"; did you mean "amd64"?'],
    ],
    [
      'all problems at once',
      '{"images": [\n{"name": 1, "tag": "a"},\n{"name": "", "tag": null},\r\n{"name": "x"},\n{"name": "y", "tag": "t", "count": 0}]}',
      [
        '2:10 expected a text, found 1',
        '3:10 expected at least 1 character, found ""',
        '3:21 expected a text, found null',
        '4:1 "tag" is missing: expected a text',
        '5:36 expected at least 1, found 0',
      ],
    ],
    [
      'a grammar of its own',
      '{"images": [{"name": "a", "tag": "b", "from": "docker.io/Library/nginx"}]}',
      ['1:47 "Library" cannot be part of a repository name (repositories are lower case: library/nginx)'],
    ],
    ['a union, no form', '{"choice": 1}', ['1:12 expected a text or an object { … }, found 1']],
    [
      'a union, no form, and a text that reads like a problem',
      '{"word": "x, found y"}',
      ['1:10 expected "off" or an object { … }, found "x, found y"'],
    ],
    [
      'a union, no form, and a mistyped word',
      '{"word": "of"}',
      ['1:10 expected "off" or an object { … }, found "of"; did you mean "off"?'],
    ],
    ['too few entries', '{"some": []}', ['1:10 expected at least 1 entry, found 0']],
    ['too many entries', '{"some": [1, 2, 3]}', ['1:10 expected at most 2 entries, found 3']],
    ['a union, the nearest form', '{"choice": {"since": 5}}', ['1:22 expected a text, found 5']],
    [
      'a key written twice',
      '{"arch": "arm64",\n "arch": "amd64"}',
      ['2:2 "arch" is written twice, first on line 1'],
    ],
    ['a missing comma', '{"arch": "arm64"\n "images": []}', ['2:2 expected ",", found "images"']],
    [
      'a text without quotes',
      '{"arch": arm64}',
      ['1:10 expected a JSON value or a text in double quotes, found arm64; write "arm64"'],
    ],
    [
      'single quotes',
      "{'arch': 1}",
      ['1:2 expected a JSON value or a text in double quotes, found \'arch\'; write "arch"'],
    ],
    ['an open end', '{"images": [', ['1:13 expected "]", found the end of the file']],
    [
      'a syntax error and another mistake',
      '{"arch": "arm64",,\n "images": [{"name": 5}],\n "choise": "x"}',
      [
        '1:18 expected a key in double quotes, found ,',
        '2:22 expected a text, found 5',
        '3:2 "choise" is not a known key; did you mean "choice"?',
      ],
    ],
    [
      'a syntax error, and a mistake that reads like another',
      '{"images": [],,\n "arch": "it is missing: all"}',
      [
        '1:15 expected a key in double quotes, found ,',
        '2:10 expected "amd64" or "arm64", found "it is missing: all"',
      ],
    ],
    [
      'a syntax error, and something missing that it may have caused',
      '{"arch": "arm64",,\n "images": [{"name": "a"}]}',
      ['1:18 expected a key in double quotes, found ,'],
    ],
  ])('%s', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test('one problem stands in the line itself, several are listed below it', () => {
    const fail = (text: string) => () => validate(parseDocument('dir/f.json', text), schema);
    expect(fail('{"arch": 1}')).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_MALFORMED', about: 'dir/f.json:1:10' }),
    );
    expect(fail('{"a": 1,\n"b": 2}')).toThrow(
      /^2 problems\n {2}dir\/f\.json:1:2: "a" .*\n {2}dir\/f\.json:2:1: "b"/,
    );
  });

  test('deep nesting ends as a problem, not as a crash', () => {
    expect(() => parseDocument('f.json', '['.repeat(200_000))).toThrow(/nested more than 50 levels deep/);
  });

  test('no text makes it throw anything else, and places lie inside the text', () => {
    const json = fc
      .json()
      .map((text) => text.replace(/"/g, (quote, index: number) => (index % 7 === 3 ? '' : quote)));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), json), (text) => {
        try {
          validate(parseDocument('f', text), schema);
        } catch (error) {
          if (!(error instanceof ConfigurationFailure)) throw error;
          expect(error.problems.length).toBeGreaterThan(0);
          const lines = text.split(/\r\n|\r|\n/);
          for (const { place } of error.problems) {
            const line = lines[place.line - 1];
            expect(line, formatPlace(place)).toBeDefined();
            expect(place.column).toBeLessThanOrEqual((line?.length ?? 0) + 1);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

const SECRET = `hush${'x'.repeat(300)}`;
const ADDRESS = `https://user:${SECRET}@registry.example/app`;

describe('a login that someone wrote into a file is not shown', () => {
  test.each<[string, object]>([
    ['kubernetes', { kubernetes: [ADDRESS] }],
    ['cni', { cni: [ADDRESS] }],
    ['names', { names: [ADDRESS] }],
    ['prefixes', { prefixes: [ADDRESS] }],
    ['extras', { extras: [ADDRESS] }],
    ['a token in extras', { extras: [`https://${SECRET}@registry.example/app`] }],
    ['a parameter in extras', { extras: [`registry.example/app?access_token=${SECRET}`] }],
    ['patches', { names: ['a'], patches: [{ match: ADDRESS, name: ADDRESS, platforms: [ADDRESS] }] }],
    ['minimumAge', { names: ['a'], minimumAge: ADDRESS }],
    ['tags', { names: ['a'], tags: { regex: `${ADDRESS}(`, since: ADDRESS, semver: ADDRESS } }],
    ['movedTags', { names: ['a'], movedTags: { [ADDRESS]: ADDRESS } }],
    ['signatures', { names: ['a'], signatures: { [ADDRESS]: [{ [ADDRESS]: 1, identity: ADDRESS }] } }],
    ['a key', { names: ['a'], [ADDRESS]: 1 }],
  ])('in %s of an image set', (_, set) => {
    expect(shownOf(() => parseImageSet(parseDocument('set.json', JSON.stringify(set))))).not.toContain(
      'hush',
    );
  });

  test.each<[string, object]>([
    ['arch', { arch: ADDRESS }],
    ['images', { images: [{ name: ADDRESS, tag: ADDRESS, image: ADDRESS }] }],
    [
      'components',
      { components: [{ name: ADDRESS, tag: ADDRESS, uri: ADDRESS, sha256: ADDRESS, path: ADDRESS }] },
    ],
    ['sha256', { components: [{ name: 'runc', tag: 'auto', sha256: { [ADDRESS]: ADDRESS } }] }],
    ['addons', { addons: [ADDRESS, { name: 'a', manifest: ADDRESS, uri: ADDRESS, sha256: ADDRESS }] }],
    ['signatures', { signatures: { [ADDRESS]: ADDRESS } }],
  ])('in %s of a versions.json', (_, versions) => {
    const text = JSON.stringify(versions);
    expect(shownOf(() => parseVersions(parseDocument('versions.json', text)))).not.toContain('hush');
  });

  test.each([`{"names": ['${ADDRESS}']}`, `{"${ADDRESS}": 1, "${ADDRESS}": 2}`, `{"a": ${ADDRESS}}`])(
    'in a file that is not JSON, %#',
    (text) => {
      expect(problemsOf(text).join('\n')).toMatch(/^(?!.*hush).+/s);
    },
  );
});

/** Returns what a person and a program see of the failure of a parser. */
function shownOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    return [describeFailure(error), JSON.stringify(reportedFailures(error))].join('\n');
  }
  throw new Error('it was accepted');
}
