import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where some secret stood, in which form. It does not repeat the secret: failing tests are shown in public logs. */
export interface Finding {
  readonly where: string;
  readonly secret: string;
  readonly form: string;
}

/** Secrets by the names under which a finding tells them. */
export type Secrets = Readonly<Record<string, string>>;

/** Shorter ones stand in many a text by chance. */
const SHORTEST = 6;
/** What is larger is content of images or packages, not something that a run wrote about itself. */
const LARGEST_FILE = 1024 * 1024;

/**
 * Returns every secret that a text holds: in plain, in base64 (both alphabets, with and without padding, at any place
 * within a longer text, as in `user:password`), in hexadecimal, and each of these in URL-encoded, JSON, HTML or
 * workflow-command form.
 */
export function findSecrets(where: string, text: string, secrets: Secrets): Finding[] {
  const views = viewsOf(text);
  return Object.entries(secrets).flatMap(([secret, value]) => {
    if (Buffer.byteLength(value) < SHORTEST) throw new Error(`${secret} is too short to be looked for`);
    const hit = needlesOf(value).find(([, needle]) => views.some((view) => view.includes(needle)));
    return hit === undefined ? [] : [{ where, secret, form: hit[0] }];
  });
}

/** The files under a folder at some time, and when each was last written. */
export type FileTimes = ReadonlyMap<string, number>;

/** Returns the files under a folder, so that a later search can leave out what was there before and nobody changed. */
export function fileTimes(folder: string): FileTimes {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(files.map((file) => [file, statSync(file).mtimeMs]));
}

/** Looks through all files under a folder, as far as a run may have written them about itself. */
export function findSecretsInFiles(
  folder: string,
  secrets: Secrets,
  before: FileTimes = new Map(),
): Finding[] {
  return [...fileTimes(folder)].flatMap(([file, time]) => {
    if (before.get(file) === time || statSync(file).size > LARGEST_FILE) return [];
    return findSecrets(file, readFileSync(file, 'utf8'), secrets);
  });
}

/** Returns what a workflow's step printed without the lines that only tell the runner what to hide. */
export function withoutMasks(printed: string): string {
  return printed
    .split('\n')
    .filter((line) => !line.startsWith('::add-mask::'))
    .join('\n');
}

/** Returns the secrets among the variables of a process, by their names; one in an address, as of a proxy, is one too. */
export function secretVariables(environment: Readonly<Record<string, string>>): Secrets {
  const secrets = Object.entries(environment).map(([name, value]): [string, string] => {
    if (/PASSWORD|SECRET|TOKEN/.test(name)) return [name, value];
    return [name, URL.canParse(value) ? decodeURIComponent(new URL(value).password) : ''];
  });
  return Object.fromEntries(secrets.filter(([, secret]) => secret.length >= SHORTEST));
}

function needlesOf(value: string): [form: string, needle: string][] {
  const bytes = Buffer.from(value);
  const cores = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // Only what the secret alone decides: characters at either end carry bits of their neighbours.
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
  return [
    ['plain', value],
    ['hexadecimal', bytes.toString('hex')],
    ['hexadecimal', bytes.toString('hex').toUpperCase()],
    ...cores.map((core): [string, string] => ['base64', core]),
    ...cores.map((core): [string, string] => ['base64url', core.replaceAll('+', '-').replaceAll('/', '_')]),
  ];
}

/** A text as it stands, and as it reads once each layer of escapes is taken off. */
function viewsOf(text: string): string[] {
  const html = fromHtml(text.replaceAll('<!-- -->', ''));
  const shown = [text, html, fromJson(text), fromJson(html)];
  // Workflow commands escape the percent signs of what is URL-encoded already.
  const views = shown.flatMap((view) => [view, fromPercent(view), fromPercent(fromPercent(view))]);
  return [...new Set([...views, fromPercent(text.replaceAll('+', ' '))])];
}

function fromPercent(text: string): string {
  return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

const JSON_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['f', '\f'],
]);

function fromJson(text: string): string {
  return text.replaceAll(/\\(?:u([0-9A-Fa-f]{4})|(.))/g, (_, code?: string, letter = '') =>
    code === undefined
      ? (JSON_ESCAPES.get(letter) ?? letter)
      : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function fromHtml(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,6})|#x([0-9A-Fa-f]{1,5})|([a-z]+));/g, (all, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES.get(name) ?? all;
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal));
  });
}
