/** A part of a name that another program replaces. */
interface Placeholder {
  /** A noun with the part itself, such as `the shell variable $TAG`. */
  readonly what: string;
  readonly hint: string;
}

const FORMS: readonly (readonly [form: RegExp, what: string, hint: string])[] = [
  [
    /\{\{-?\s*(?:\.|\$|(?:include|template|tpl|default|printf|quote|if|with|range)\b)[^{}]*(?:\}\}|$)/,
    'the Helm template',
    'use the output of "helm template"',
  ],
  [/\{\{[^{}]*(?:\}\}|$)|\{%[^{}]*(?:%\}|$)/, 'the template', 'use the file that the template produces'],
  [
    /\$\{[^{}]*(?:\}|$)|\$\([^()]*(?:\)|$)|\$[A-Za-z_]\w*/,
    'the variable',
    'replace it with its value, such as with "envsubst < FILE"',
  ],
  [/<[a-z][^<>]*>/i, 'the placeholder', 'replace it with its value'],
];

/** Returns the part of a name that another program replaces with a value; undefined if there is none. */
export function placeholderIn(name: string): Placeholder | undefined {
  for (const [form, what, hint] of FORMS) {
    const found = form.exec(name)?.[0];
    if (found !== undefined) return { what: `${what} ${found.slice(0, 100)}`, hint };
  }
  return undefined;
}
