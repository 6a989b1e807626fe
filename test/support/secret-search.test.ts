import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatCommand } from '../../src/actions/workflow-command.ts';
import { escapeMarkdown } from '../../src/lib/text/markdown.ts';
import { scratchFolder } from './scratch-folder.ts';
import { findSecrets, findSecretsInFiles, secretVariables, withoutMasks } from './secret-search.ts';

// All that base64 writes with + and /, and all that URLs, JSON and HTML escape.
const PASSWORD = 'p@ss w/örd+>?ÿ%41&"q\\<';
const SECRETS = { password: PASSWORD };
const base64 = (text: string, form: 'base64' | 'base64url' = 'base64') => Buffer.from(text).toString(form);
const bare = (text: string) => text.replaceAll('=', '');

const FORMS: readonly [string, string][] = [
  ['as it is', PASSWORD],
  ['in the middle of a line', `could not log in with ${PASSWORD}, sorry`],
  ['URL-encoded', encodeURIComponent(PASSWORD)],
  [
    'URL-encoded in small letters',
    encodeURIComponent(PASSWORD).replaceAll(/%../g, (code) => code.toLowerCase()),
  ],
  ['as a query', new URLSearchParams({ password: PASSWORD }).toString()],
  ['in a URL', new URL(`https://u:${encodeURIComponent(PASSWORD)}@registry.example/`).href],
  ['in base64', base64(PASSWORD)],
  ['in base64 without padding', bare(base64(PASSWORD))],
  ['in base64 for URLs', base64(PASSWORD, 'base64url')],
  ['in base64, URL-encoded', encodeURIComponent(base64(PASSWORD))],
  ...['u', 'us', 'use', 'a-longer-user'].flatMap((user): [string, string][] => [
    [`in base64 after "${user}:"`, `Basic ${base64(`${user}:${PASSWORD}`)}`],
    [`in base64 for URLs after "${user}:"`, base64(`${user}:${PASSWORD}`, 'base64url')],
    [`in base64 after "${user}:" and before more`, base64(`${user}:${PASSWORD}\n`)],
  ]),
  ['in hexadecimal', Buffer.from(PASSWORD).toString('hex')],
  ['in hexadecimal with capitals', Buffer.from(`user:${PASSWORD}`).toString('hex').toUpperCase()],
  [
    'in JSON of ASCII alone',
    JSON.stringify(PASSWORD).replaceAll(/[^ -~]/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`),
  ],
  ['in JSON with slashes escaped', JSON.stringify(PASSWORD).replaceAll('/', '\\/')],
  ['in HTML', PASSWORD.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')],
  ['in HTML by numbers', PASSWORD.replaceAll(/[^a-z]/g, (char) => `&#x${char.charCodeAt(0).toString(16)};`)],
  ['in JSON', JSON.stringify({ password: PASSWORD })],
  ['in Markdown', escapeMarkdown(PASSWORD)],
  ['in an annotation', formatCommand('warning', `see ${PASSWORD}`)],
  ['URL-encoded in an annotation', formatCommand('warning', `see ${encodeURIComponent(PASSWORD)}`)],
];

test.each(FORMS)('a password is found %s', (_, text) => {
  expect(findSecrets('here', text, SECRETS)).toMatchObject([{ where: 'here', secret: 'password' }]);
});

test('what is no secret is not found, and a finding does not repeat the secret', () => {
  expect(findSecrets('here', `p@ss w/ord+ ${base64('another password')} 50 % &amp; \\n`, SECRETS)).toEqual(
    [],
  );
  expect(JSON.stringify(findSecrets('here', PASSWORD, SECRETS))).not.toContain('p@ss');
});

test('a secret that is too short to be told from other words is no secret to look for', () => {
  expect(() => findSecrets('here', '', { short: 'abc' })).toThrow('short is too short');
});

test('the secrets of a process are its variables that are named so, and what stands in addresses', () => {
  const environment = {
    KEEL_PASSWORD: PASSWORD,
    KEEL_SECRET_KEY: 'a:secret',
    KEEL_USERNAME: 'somebody',
    HTTPS_PROXY: 'http://me:a%20secret@proxy.example:3128',
    HTTP_PROXY: 'http://proxy.example:3128',
    EMPTY_TOKEN: '',
  };
  expect(secretVariables(environment)).toEqual({
    KEEL_PASSWORD: PASSWORD,
    KEEL_SECRET_KEY: 'a:secret',
    HTTPS_PROXY: 'a secret',
  });
});

test('files are looked through, in folders too', () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'state.db'), Buffer.from(`\0\0${PASSWORD}\0`));
  writeFileSync(join(folder, 'fine.txt'), 'nothing');
  expect(findSecretsInFiles(folder, SECRETS)).toMatchObject([{ form: 'plain' }]);
});

test('lines that tell the runner what to hide may name it', () => {
  const printed = `::add-mask::${PASSWORD}\ncopied\n`;
  expect(withoutMasks(printed)).toBe('copied\n');
});
