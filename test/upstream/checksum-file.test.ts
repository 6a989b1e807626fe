import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { findChecksum } from '../../src/upstream/fetch/checksum-file.ts';

const A = 'a1'.repeat(32);
const B = 'b2'.repeat(32);
const LONG = 'c3'.repeat(64);

/** As runc's releases have it: PGP clear-signed, several lines. */
const CLEAR_SIGNED = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

${B} *libseccomp-2.5.6.tar.gz
${A} *runc.amd64
${B} *runc.arm64
-----BEGIN PGP SIGNATURE-----

iQIzBAEBCAAdFiEE
-----END PGP SIGNATURE-----
`;

function signed(body: string, before = '', after = ''): string {
  return `${before}-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${body}\n-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n${after}`;
}

describe('findChecksum', () => {
  it.each([
    ['bare, without an end of line', A, `sha256:${A}`],
    ['bare, with one', `${A}\n`, `sha256:${A}`],
    ['bare sha512', LONG, `sha512:${LONG}`],
    ['upper case', A.toUpperCase(), `sha256:${A}`],
    ['with name', `${A}  runc.amd64\n`, `sha256:${A}`],
    ['with name, read as binary', `${A} *runc.amd64\n`, `sha256:${A}`],
    ['with a tab', `${A}\trunc.amd64\n`, `sha256:${A}`],
    ['with a path', `${A}  ./release/runc.amd64\n`, `sha256:${A}`],
    ['of several files', `${B}  runc.arm64\n${A}  runc.amd64\n${B}  runc.amd64.asc\n`, `sha256:${A}`],
    ['with Windows line ends and a byte order mark', `\uFEFF${B}  a\r\n${A}  runc.amd64\r\n`, `sha256:${A}`],
    ['BSD', `SHA256 (runc.amd64) = ${A}\n`, `sha256:${A}`],
    [
      'BSD with two algorithms',
      `SHA256 (runc.amd64) = ${A}\nSHA512 (runc.amd64) = ${LONG}\n`,
      `sha512:${LONG}`,
    ],
    ['clear-signed', CLEAR_SIGNED, `sha256:${A}`],
    ['clear-signed bare', signed(A), `sha256:${A}`],
    ['clear-signed with Windows line ends', CLEAR_SIGNED.replaceAll('\n', '\r\n'), `sha256:${A}`],
    ['clear-signed with an escaped dash', signed(`- --- a note\n${A}  runc.amd64`), `sha256:${A}`],
    ['the same line twice', `${A}  runc.amd64\n${A}  runc.amd64\n`, `sha256:${A}`],
    ['between comments', `# made on Monday\n\n${A}  runc.amd64\n`, `sha256:${A}`],
  ])('%s', (_, text, digest) => {
    expect(findChecksum(text, 'runc.amd64', 'sums')).toBe(digest);
  });

  it.each([
    ['nothing', '', 'it contains no checksum'],
    ['a page of HTML', '<html><body>404</body></html>', 'it contains no checksum'],
    ['a digest that is too short', A.slice(2), 'it contains no checksum'],
    ['MD5', 'd41d8cd98f00b204e9800998ecf8427e  runc.amd64', 'it contains no checksum'],
    ['only other files', `${A}  runc.arm64\n`, 'it contains no checksum for runc.amd64'],
    ['a name that only ends alike', `${A}  notrunc.amd64\n`, 'it contains no checksum for runc.amd64'],
    ['two without names', `${A}\n${B}\n`, 'it contains no checksum for runc.amd64'],
    [
      'a contradiction',
      `${A}  runc.amd64\n${B}  runc.amd64\n`,
      'it contains different checksums for runc.amd64',
    ],
    [
      'a line before the signed part',
      signed(`${B}  other`, `${A}  runc.amd64\n`),
      'it contains no checksum for runc.amd64',
    ],
    [
      'a line behind the signed part',
      signed(`${B}  other`, '', `${A}  runc.amd64\n`),
      'it contains no checksum for runc.amd64',
    ],
    [
      'a signed part without end',
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${A}  runc.amd64\n`,
      'it contains no checksum',
    ],
    ['BSD with the length of another algorithm', `SHA512 (runc.amd64) = ${A}\n`, 'it contains no checksum'],
  ])('refuses %s', (_, text, message) => {
    expect(() => findChecksum(text, 'runc.amd64', 'https://e.org/sums')).toThrow(
      expect.objectContaining({ code: 'CHECKSUM_UNUSABLE', about: 'https://e.org/sums', message }),
    );
  });

  it('finds every file of a list in every form', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9._+-]{0,20}$/);
    const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
    const form = fc.constantFrom<(hex: string, name: string) => string>(
      (digest, file) => `${digest}  ${file}`,
      (digest, file) => `${digest} *${file}`,
      (digest, file) => `SHA256 (${file}) = ${digest}`,
    );
    const entries = fc.uniqueArray(fc.tuple(name, hex, form), {
      minLength: 1,
      maxLength: 8,
      selector: ([file]) => file,
    });
    fc.assert(
      fc.property(entries, fc.boolean(), (list, isSigned) => {
        const body = list.map(([file, digest, write]) => write(digest, file)).join('\n');
        const text = isSigned ? signed(body) : `${body}\n`;
        for (const [file, digest] of list) expect(findChecksum(text, file, 'sums')).toBe(`sha256:${digest}`);
      }),
    );
  });

  it('gives a digest that stands in the text, or a failure, for any text', () => {
    const piece = fc.constantFrom(
      A,
      B,
      LONG,
      ' ',
      '  ',
      '*',
      'runc.amd64',
      '\n',
      '\0',
      'SHA256 (',
      ') = ',
      '-----BEGIN PGP SIGNED MESSAGE-----',
      '-----BEGIN PGP SIGNATURE-----',
      '../',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 20 }), (pieces) => {
        const text = pieces.join('');
        try {
          expect(text.toLowerCase()).toContain(
            findChecksum(text, 'runc.amd64', 'sums').slice('sha256:'.length),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });

  it('reads a hostile megabyte in no time', () => {
    const started = performance.now();
    for (const line of [
      ' '.repeat(1 << 20),
      `SHA256 (${'('.repeat(1 << 20)}`,
      `${A}${' '.repeat(1 << 20)}x`,
      `${'\n'.repeat(1 << 20)}`,
    ]) {
      expect(() => findChecksum(line, 'other', 'sums')).toThrow(Failure);
    }
    // Milliseconds; in the square of its length it would take an hour.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
