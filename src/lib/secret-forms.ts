/** Receives a secret before its first use. Services print passwords in other forms too, but tokens only unchanged. */
export type SecretListener = (secret: string, kind: 'password' | 'token') => void;

/** Shorter texts occur in ordinary words and numbers. */
const SHORTEST_FORM = 4;

type Escape = (char: string) => string;

function code(char: string): number {
  return char.codePointAt(0) ?? 0;
}

/** Returns an escape of JSON for one UTF-16 unit, with small or capital digits. */
function unicode(isCapital: boolean): Escape {
  return (unit) => {
    const digits = unit.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${isCapital ? digits.toUpperCase() : digits}`;
  };
}

/**
 * What common writers of JSON escape in addition to what they must: slashes (PHP), characters outside of ASCII (PHP,
 * Python), markup (Go, Ruby), or all of these (.NET, Gson).
 */
function jsonForms(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  return [false, true].flatMap((isCapital) => {
    const unit = unicode(isCapital);
    const ascii = (from: string): string => from.replaceAll(/[^\0-\x7f]/g, unit);
    const control = (from: string): string =>
      from.replaceAll(/\\u[0-9a-f]{4}/g, (found) => recased(found, isCapital));
    const slash = (from: string): string => from.replaceAll('/', '\\/');
    const markup = (from: string): string => from.replaceAll(/[<>&\u2028\u2029]/g, unit);
    const all = (from: string): string =>
      ascii(from.replaceAll('\\"', unit('"')).replaceAll(/[<>&'`+=]/g, unit));
    const base = control(plain);
    const written = [base, ascii(base), markup(base), markup(ascii(base))];
    return [...written, ...written.map(slash), all(base)];
  });
}

function recased(found: string, isCapital: boolean): string {
  return isCapital ? `\\u${found.slice(2).toUpperCase()}` : found;
}

/** How common writers of HTML write the characters that they escape. */
const HTML_STYLES: readonly Readonly<Record<string, string>>[] = [
  // Without quotes, as between tags.
  { '&': '&amp;', '<': '&lt;', '>': '&gt;' },
  // Quotes by Java and old XML; Ruby and Jinja; Go; Python and Django; PHP; Mustache.
  ...[
    ['&quot;', '&apos;'],
    ['&quot;', '&#39;'],
    ['&#34;', '&#39;'],
    ['&quot;', '&#x27;'],
    ['&quot;', '&#039;'],
  ].map(([double = '', single = '']) => ({
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': double,
    "'": single,
  })),
  {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
    '/': '&#x2F;',
    '`': '&#x60;',
    '=': '&#x3D;',
  },
];

function htmlForms(text: string): string[] {
  const numeric = (pattern: RegExp, write: Escape): string => text.replaceAll(pattern, write);
  return [
    ...HTML_STYLES.map((style) => text.replaceAll(/[&<>"'/`=]/g, (char) => style[char] ?? char)),
    ...[/[^A-Za-z0-9 ]/gu, /[&<>"'\u0080-\u{10ffff}]/gu].flatMap((pattern) => [
      numeric(pattern, (char) => `&#${code(char)};`),
      numeric(pattern, (char) => `&#x${code(char).toString(16)};`),
      numeric(pattern, (char) => `&#x${code(char).toString(16).toUpperCase()};`),
    ]),
  ];
}

/** Returns a text escaped as in a URL, as in a query, and with more characters escaped than necessary. */
function percentForms(text: string): string[] {
  const inQuery = encodeURIComponent(text);
  const byte: Escape = (char) => `%${code(char).toString(16).toUpperCase()}`;
  const capital = [
    inQuery,
    encodeURI(text),
    new URLSearchParams({ '': text }).toString().slice(1),
    inQuery.replaceAll(/[!'()*]/g, byte),
    inQuery.replaceAll(/[!'()*~_.-]/g, byte),
  ];
  const small = capital.map((form) => form.replaceAll(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase()));
  return [...capital, ...small];
}

/**
 * Returns a secret in every form in which services print it: unchanged; in a URL or a query, with capital or small
 * digits; in both alphabets of base64, with and without padding; in hexadecimal; and escaped for JSON or HTML. Forms
 * that are too short to be distinguished from ordinary words are left out.
 */
export function secretForms(secret: string): ReadonlySet<string> {
  // A lone half of a surrogate pair cannot be written in a URL.
  const text = secret.toWellFormed();
  const bytes = Buffer.from(text);
  const padded = bytes.toString('base64');
  const bare = padded.replace(/={1,2}$/, '');
  const hex = bytes.toString('hex');
  const encoded = [padded, bare, bytes.toString('base64url'), hex, hex.toUpperCase()];
  const escaped = [...jsonForms(text), ...htmlForms(text), ...percentForms(text)];
  // In base64, only the characters that are not letters or digits change.
  const both = [...percentForms(padded), ...jsonForms(bare), ...htmlForms(bare)];
  const forms = [...encoded, ...escaped, ...both].filter((form) => form.trim().length >= SHORTEST_FORM);
  return new Set([secret, ...forms]);
}
