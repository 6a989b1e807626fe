import { z } from 'zod';

// JSON from outside is mostly written and read by programs in Go. They do not distinguish an absent field from a null one,
// and mostly not from an empty one: all have the zero value. https://go.dev/ref/spec#The_zero_value
// A list or object can have a million wrong items. Zod's own shapes keep an error for each; these stop at the first one.

/** Returns the shape of a list. It reports the first wrong item, and reads none after it. */
export function eachOf<Item extends z.ZodType>(item: Item) {
  return z.array(z.unknown()).transform((list, context) => {
    const read: z.output<Item>[] = [];
    for (const [at, held] of list.entries()) {
      const { success, data, error } = item.safeParse(held);
      if (!success) return refuse(context, at, error);
      read.push(data);
    }
    return read;
  });
}

/** Returns the shape of a list that is empty if it is absent or null. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return eachOf(item)
    .nullish()
    .transform((list) => list ?? []);
}

/** Returns the shape of an object with any names. It leaves out names with null, and reports the first wrong value. */
export function eachNamedOf<Value extends z.ZodType>(value: Value) {
  return z.record(z.string(), z.unknown()).transform((record, context) => {
    const read: [string, z.output<Value>][] = [];
    for (const [name, held] of Object.entries(record)) {
      if (held === null) continue;
      const { success, data, error } = value.safeParse(held);
      if (!success) return refuse(context, name.slice(0, NAME_SHOWN), error);
      read.push([name, data]);
    }
    return Object.fromEntries(read);
  });
}

/** Returns the shape of an object with any names, empty if it is absent or null. Leaves out names with null. */
export function recordOf<Value extends z.ZodType>(value: Value) {
  return eachNamedOf(value)
    .nullish()
    .transform((record) => record ?? {});
}

/** The most characters of a name that an error shows. */
const NAME_SHOWN = 100;

function refuse(context: z.core.$RefinementCtx, at: PropertyKey, { issues: [issue] }: z.ZodError): never {
  const { message = 'it is wrong', path = [] } = issue ?? {};
  context.addIssue({ code: 'custom', message, path: [at, ...path] });
  return z.NEVER;
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
