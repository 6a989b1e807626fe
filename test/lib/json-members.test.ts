import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnreasonableJson } from '../../src/lib/json.ts';
import { readMembers } from '../../src/lib/json-members.ts';

const MEBIBYTE = 1024 * 1024;

/** Reads the members "list", "object" and "value" of an object into one of the same shape. */
async function read(json: string | Buffer): Promise<object> {
  const list: unknown[] = [];
  const object: (readonly [string, unknown])[] = [];
  const whole: { value?: unknown } = {};
  const readers: Parameters<typeof readMembers>[1] = {
    list: { of: 'list', take: (items) => void list.push(...items) },
    object: { of: 'object', take: (entries) => void object.push(...entries) },
    value: { of: 'value', take: (value) => Object.assign(whole, { value }) },
  };
  await readMembers(Buffer.from(json), readers);
  return { list, object: Object.fromEntries(object), ...whole };
}

const space = fc.constantFrom('', ' ', '\n\t', '\r\n  ');

/** Texts of JSON with white space where it may be. */
const spaced = (value: unknown, between: string): string =>
  JSON.stringify(value, null, between === '' ? 0 : 2).replaceAll(
    '\n',
    between === '' ? '' : between.concat('\n'),
  );

describe('any object', () => {
  it('is read as JSON.parse reads it, whatever stands in it and between', async () => {
    const documents = fc.record(
      {
        list: fc.option(fc.array(fc.jsonValue())),
        object: fc.option(fc.dictionary(fc.string(), fc.jsonValue())),
        value: fc.jsonValue(),
        other: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(documents, space, async (document, between) => {
        const text = between + spaced(document, between) + between;
        const { list, object, value } = JSON.parse(text);
        const whole = value === undefined || value === null ? {} : { value };
        expect(await read(text)).toEqual({ list: list ?? [], object: object ?? {}, ...whole });
      }),
    );
  });

  it('is refused where JSON.parse refuses it', async () => {
    const sound = [
      '{"list":[1,"]",{"a":[]}],"object":{"b":{},"c":[2]},"value":"\\"","other":null}',
      'null',
      '{}',
    ];
    const signs = fc.constantFrom(
      '',
      ',',
      ':',
      '"',
      '\\',
      '[',
      ']',
      '{',
      '}',
      '1',
      ' ',
      'null',
      '\uFEFF',
      '\0',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sound),
        fc.nat(),
        fc.nat({ max: 3 }),
        signs,
        async (text, place, removed, sign) => {
          const at = place % (text.length + 1);
          const damaged = text.slice(0, at) + sign + text.slice(at + removed);
          let isJson = true;
          try {
            JSON.parse(damaged.replace(/^\uFEFF/, ''));
          } catch {
            isJson = false;
          }
          if (!isJson) await expect(read(damaged)).rejects.toThrow(SyntaxError);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a long list', () => {
  const names = Array.from({ length: 200_000 }, (_, at) => `v1.0.${at}`);

  it('is read in slices, of which each item is in one', async () => {
    const slices: number[] = [];
    const read: unknown[] = [];
    const take = (items: readonly unknown[]): void => {
      slices.push(items.length);
      read.push(...items);
    };
    await readMembers(Buffer.from(JSON.stringify({ name: 'a', tags: names })), {
      tags: { of: 'list', take },
    });
    expect(read).toEqual(names);
    expect(slices.length).toBeGreaterThan(5);
  });

  it('lets other work run between slices', async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await readMembers(Buffer.from(JSON.stringify({ tags: names })), {
      tags: { of: 'list', take: () => undefined },
    });
    clearImmediate(next);
    expect(turns).toBeGreaterThan(5);
  });

  it('is read no further than to what its reader refuses', async () => {
    let taken = 0;
    const take = (items: readonly unknown[]): void => {
      taken += items.length;
      throw new TypeError('a number');
    };
    const json = Buffer.from(`{"tags":[${'1,'.repeat(5 * MEBIBYTE)}`);
    await expect(readMembers(json, { tags: { of: 'list', take } })).rejects.toThrow('a number');
    expect(taken).toBeLessThan(200_000);
  });

  it.each([
    ['a comma at its end', '1,'],
    ['two commas', '1,,1'],
    ['a comma at its beginning', ',1'],
    ['a bracket of an object at its end', '1}'],
  ])('is refused with %s, also after many slices', async (_, ending) => {
    for (const beginning of ['', '"a",'.repeat(200_000)]) {
      await expect(read(`{"list":[${beginning}${ending}]}`)).rejects.toThrow(SyntaxError);
    }
  });
});

it.each([
  ['{"list":[1],"list":[2]}', 'it has "list" twice'],
  ['{"list":[1],"\\u006cist":[2]}', 'it has "list" twice'],
  ['{"list":"all"}', 'its list is not a list'],
  ['{"list":{}}', 'its list is not a list'],
  ['{"object":[]}', 'its object is not an object'],
  ['[]', 'it is not a JSON object'],
  ['"text"', 'it is not a JSON object'],
  ['{} {}', 'there is more after the end'],
  ['{"list":[1]', 'there is no }'],
])('%s is refused, because %s', async (json, why) => {
  await expect(read(json)).rejects.toThrow(why);
});

it.each([
  ['names', `{${Array.from({ length: 1100 }, (_, at) => `"${at}":1`).join(',')}}`],
  ['an item of many megabytes', `{"list":["${'x'.repeat(5 * MEBIBYTE)}"]}`],
  ['an item of white space', `{"list":[${' '.repeat(5 * MEBIBYTE)}]}`],
  ['white space before a name', `{${' '.repeat(5 * MEBIBYTE)}"list":[]}`],
  ['a name of many megabytes', `{"${'x'.repeat(5 * MEBIBYTE)}":1}`],
  ['an item of empty objects', `{"list":[[${'{},'.repeat(MEBIBYTE)}{}]]}`],
  ['another member of empty objects', `{"other":[${'{},'.repeat(MEBIBYTE)}{}]}`],
  ['an item that is deep', `{"list":[${'['.repeat(200)}${']'.repeat(200)}]}`],
  ['another member that is deep', `{"other":${'['.repeat(200)}${']'.repeat(200)}}`],
])('what costs more than it says is not read: %s', async (_, json) => {
  await expect(read(json)).rejects.toThrow(UnreasonableJson);
});

it('a member called __proto__ is one like others', async () => {
  const { object } = Object.assign(
    { object: {} },
    await read('{"__proto__":{"a":1},"object":{"__proto__":{"b":1}}}'),
  );
  expect(Object.getOwnPropertyNames(object)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
});

it('bytes that are no UTF-8 are read as JSON.parse gets them', async () => {
  const bytes = Buffer.concat([
    Buffer.from('{"list":["a'),
    Buffer.from([0xe2, 0x82]),
    Buffer.from('","b"]}'),
  ]);
  expect(await read(bytes)).toMatchObject(JSON.parse(bytes.toString()));
});
