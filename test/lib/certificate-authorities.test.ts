import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { readAuthorities } from '../../src/lib/http/certificate-authorities.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { AUTHORITY_FILE, chainCertificate } from '../support/test-authority.ts';

const calm = new AbortController().signal;

const ONE = readFileSync(AUTHORITY_FILE, 'utf8');
const OTHER = chainCertificate('authority');
const NONSENSE = '-----BEGIN CERTIFICATE-----\n!!!!nonsense\n-----END CERTIFICATE-----\n';
/** An empty sequence. */
const NOTHING = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
const CUT = ONE.slice(0, 300);
const KEY = '-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n';

function caFile(text: string | Buffer): string {
  const file = join(scratchFolder(), 'ca.pem');
  writeFileSync(file, text);
  return file;
}

function relabelled(pem: string, label: string): string {
  return pem.replaceAll(' CERTIFICATE-', ` ${label}-`);
}

test('without a file the usual ones are left to Node', async () => {
  expect(await readAuthorities(undefined, calm)).toBeUndefined();
});

test.each<[what: string, text: string | Buffer, certificates: readonly string[]]>([
  ['one', ONE, [ONE]],
  ['several', ONE + OTHER, [ONE, OTHER]],
  ['no line end after the last', ONE.trimEnd(), [ONE]],
  ['words around them', `# Ours\n${ONE}\nSubject: CN=----- x -----\n${OTHER}the end`, [ONE, OTHER]],
  ['a key beside it', KEY + ONE, [ONE]],
  ['the line ends of Windows', ONE.replaceAll('\n', '\r\n'), [ONE]],
  ['a byte order mark', `\uFEFF${ONE}`, [ONE]],
  ['UTF-16', Buffer.from(`\uFEFF${ONE}`, 'utf16le'), [ONE]],
  ['lines indented as in YAML', ONE.replaceAll(/^/gm, '    '), [ONE]],
  ['all on one line', (ONE + OTHER).replaceAll('\n', ' '), [ONE, OTHER]],
  ['nothing where its lines ended', ONE.replaceAll('\n', ''), [ONE]],
  ['the old label', relabelled(ONE, 'X509 CERTIFICATE'), [ONE]],
])('a file with %s is trusted besides the usual ones', async (_what, text, certificates) => {
  expect(await readAuthorities(caFile(text), calm)).toEqual([
    ...getCACertificates('default'),
    ...certificates,
  ]);
});

const USUAL = 'use a file with PEM certificates';
const COPY = 'copy the file again';

test.each<[what: string, text: string | undefined, message: string, hint: string]>([
  ['that is not there', undefined, 'there is no such file', USUAL],
  ['that is empty', '', 'it contains no certificate', USUAL],
  ['without a certificate', 'MAoC', 'it contains no certificate', USUAL],
  ['in DER', '0\u0003\u0002\u0001\u0001', 'it is in the binary format DER', USUAL],
  ['with a key only', KEY, 'it contains no certificate', USUAL],
  ['with nonsense', NONSENSE, 'certificate 1 (line 1) is damaged', COPY],
  ['with something else that is encoded', NOTHING, 'certificate 1 (line 1) is damaged', COPY],
  ['with nonsense first', NONSENSE + ONE, 'certificate 1 (line 1) is damaged', COPY],
  [
    'with nonsense last',
    `\n${ONE}${NONSENSE}`,
    `certificate 2 (line ${ONE.split('\n').length + 1}) is damaged`,
    COPY,
  ],
  ['with a byte too few', ONE.replace(/\n.{4}/, '\n'), 'certificate 1 (line 1) is damaged', COPY],
  [
    'with a character that is not Base64',
    ONE.replace(/\n./, '\n!'),
    'certificate 1 (line 1) is damaged',
    COPY,
  ],
  ['with \\n written out', ONE.replaceAll('\n', '\\n'), 'certificate 1 (line 1) is damaged', COPY],
  ['that is cut off', CUT, 'the CERTIFICATE that starts on line 1 has no end', COPY],
  [
    'that is cut off before the next',
    `${CUT}\n${OTHER}`,
    'the CERTIFICATE that starts on line 1 has no end',
    COPY,
  ],
  ['that is cut off at its beginning', ONE.slice(100), 'line 9 ends a CERTIFICATE that has no start', COPY],
  [
    'whose end is of something else',
    ONE.replace('END CERTIFICATE', 'END PRIVATE KEY'),
    'the CERTIFICATE that starts on line 1 has no end',
    COPY,
  ],
  [
    'with the label of OpenSSL',
    relabelled(ONE, 'TRUSTED CERTIFICATE'),
    'certificate 1 (line 1) is in a format that only OpenSSL reads (TRUSTED CERTIFICATE)',
    'to convert it to a plain certificate',
  ],
])('a file %s is refused', async (_what, text, message, hint) => {
  const file = text === undefined ? join(scratchFolder(), 'ca.pem') : caFile(text);
  await expect(readAuthorities(file, calm)).rejects.toMatchObject({
    code: 'CA_FILE_MALFORMED',
    fault: 'usage',
    about: `ca-file ${file}`,
    message,
    hint: expect.stringContaining(hint),
  });
});

test('a folder is refused', async () => {
  await expect(readAuthorities(scratchFolder(), calm)).rejects.toMatchObject({
    code: 'CA_FILE_MALFORMED',
    message: 'it cannot be read: EISDIR',
  });
});

test.each<[what: string, text: string]>([
  ['', ONE],
  [' on one line', ONE.replaceAll('\n', ' ')],
  [' in Base64', Buffer.from(ONE).toString('base64')],
  [' without its first and last line', ONE.split('\n').slice(1, -2).join('')],
])('a certificate%s in place of a path is told as one, and not repeated', async (_what, text) => {
  await expect(readAuthorities(text, calm)).rejects.toMatchObject({
    code: 'CA_FILE_MALFORMED',
    fault: 'usage',
    about: 'ca-file',
    message: 'this is a certificate, not the path of a file',
    hint: 'write the certificate into a file, and use the path of that file',
  });
});
