import { z } from 'zod';

// What others write as JSON is mostly written and read by programs in Go, which do not tell a field that is absent from one
// that is null, and mostly not from an empty one: all have the zero value. https://go.dev/ref/spec#The_zero_value

/** Returns the shape of a list that is empty if it is absent or null. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((list) => list ?? []);
}

/** Returns the shape of an object with any names, empty if it is absent or null. Leaves out names with null. */
export function recordOf<Value extends z.ZodType>(value: Value) {
  return z
    .record(z.string(), value.nullable())
    .nullish()
    .transform((record) => {
      const entries = Object.entries(record ?? {});
      return Object.fromEntries(entries.flatMap(([name, held]) => (held === null ? [] : [[name, held]])));
    });
}

/** Returns the shape of a field that is undefined if it is absent, null, or an empty text, list or object. */
export function fieldOf<Value extends z.ZodType>(value: Value) {
  return value
    .nullish()
    .transform((held) => (isEmpty(held) ? undefined : (held ?? undefined)))
    .optional();
}

/** The shape of a text that is undefined if it is absent, null or empty. */
export const TEXT_FIELD = fieldOf(z.string());

function isEmpty(held: unknown): boolean {
  return held === '' || (typeof held === 'object' && held !== null && Object.keys(held).length === 0);
}
