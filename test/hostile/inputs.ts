import fc from 'fast-check';

/** Pieces that have broken readers before. */
const TRAPS = [
  '__proto__',
  'constructor',
  'toString',
  '..',
  '../',
  '/',
  '//',
  '\\',
  '\0',
  '\n',
  '\r\n',
  '\t',
  '\u001b[31m',
  '\u202e',
  '\ufeff',
  '\ud800',
  'e\u0301',
  '%2e%2e%2f',
  '{{',
  '}}',
  '"',
  "'",
  ',',
  ';',
  ':',
  '@',
  '=',
  '-',
  '::',
  '<',
  '>',
  '$(id)',
  '-1',
  '0',
  '9007199254740993',
  '1e309',
  'NaN',
  '💥',
];

const trap = fc.constantFrom(...TRAPS);

/** Any text: of traps, of all characters, or the same over and over. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.oneof(trap, fc.string({ maxLength: 5 })), { maxLength: 12 }).map((parts) => parts.join('')),
  fc.tuple(trap, fc.integer({ min: 1, max: 3000 })).map(([piece, times]) => piece.repeat(times)),
);

type Edit = readonly [at: number, removed: number, inserted: string];

const edit: fc.Arbitrary<Edit> = fc.tuple(
  fc.nat(),
  fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.nat({ max: 60 })),
  fc.oneof(
    trap,
    fc.string({ maxLength: 3 }),
    fc.tuple(trap, fc.nat({ max: 400 })).map(([one, n]) => one.repeat(n)),
  ),
);

function applied(text: string, edits: readonly Edit[]): string {
  return edits.reduce((current, [at, removed, inserted]) => {
    const start = current.length === 0 ? 0 : at % (current.length + 1);
    return current.slice(0, start) + inserted + current.slice(start + removed);
  }, text);
}

/** A text that is nearly right: one of the samples after a few edits. */
export function nearly(...samples: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(edit, { maxLength: 3 }))
    .map(([sample, edits]) => applied(sample, edits));
}

/** Hostile text around samples that are right: them as they are, nearly right, or anything. */
export function hostile(...samples: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...samples) },
    { weight: 5, arbitrary: nearly(...samples) },
    { weight: 3, arbitrary: anyText },
  );
}

const number = fc.constantFrom(
  -1,
  0,
  0.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER + 1,
  2 ** 31,
);

const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  anyText,
  number,
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 3 }),
  fc.constant([]),
  fc.constant({}),
  fc.integer({ min: 1, max: 4000 }).map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth))),
);

/** The text of a value with own `__proto__` keys where "@proto" stands. */
function textOf(value: unknown): string {
  return JSON.stringify(value).replaceAll('"@proto"', '"__proto__"');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Puts a value in place of one inside of another, at which the steps arrive. */
function replaced(value: unknown, steps: readonly number[], inserted: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return inserted;
  if (Array.isArray(value)) {
    if (value.length === 0) return [inserted];
    const at = step % value.length;
    return value.map((item: unknown, index) => (index === at ? replaced(item, rest, inserted) : item));
  }
  if (!isRecord(value)) return inserted;
  const keys = Object.keys(value);
  const key = keys[step % (keys.length + 1)];
  if (key === undefined) return { ...value, '@proto': inserted };
  return { ...value, [key]: replaced(value[key], rest, inserted) };
}

/** JSON text that is nearly a document: with other values in places, keys that are prototypes, or damaged text. */
export function hostileJson(...documents: readonly unknown[]): fc.Arbitrary<string> {
  const document = fc.constantFrom(...documents);
  const changed = fc
    .tuple(
      document,
      fc.array(fc.tuple(fc.array(fc.nat(), { maxLength: 6 }), anyJson), { minLength: 1, maxLength: 3 }),
    )
    .map(([whole, changes]) =>
      textOf(changes.reduce((current, [steps, inserted]) => replaced(current, steps, inserted), whole)),
    );
  return fc.oneof(
    { weight: 6, arbitrary: changed },
    { weight: 2, arbitrary: nearly(...documents.map((each) => JSON.stringify(each))) },
    { weight: 1, arbitrary: document.map((each) => JSON.stringify(each)) },
    { weight: 1, arbitrary: anyText },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('[', '{"a":', '[{"names":'), fc.integer({ min: 1, max: 200_000 }))
        .map(([opening, depth]) => opening.repeat(depth)),
    },
  );
}

/** Bytes that are nearly a file: cut short, longer, with others in places, or nothing but noise. */
export function damaged(files: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const change = fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 64 }));
  return fc.oneof(
    { weight: 1, arbitrary: files },
    {
      weight: 6,
      arbitrary: fc.tuple(files, fc.array(change, { minLength: 1, maxLength: 6 })).map(([file, changes]) => {
        const bytes = Buffer.from(file);
        for (const [at, others] of changes)
          bytes.set(others.subarray(0, bytes.length), at % Math.max(1, bytes.length - others.length));
        return bytes;
      }),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(files, fc.nat()).map(([file, at]) => file.subarray(0, at % (file.length + 1))),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(files, fc.uint8Array({ maxLength: 2000 }))
        .map(([file, more]) => Buffer.concat([file, more])),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)) },
  );
}
