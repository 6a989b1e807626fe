import { beforeAll, describe, expect, test } from 'vitest';
import { extensions, names, USES } from '../support/sigstore/certificate.ts';
import { der } from '../support/sigstore/der-writer.ts';
import { signerExtensions, TestSigstore } from '../support/sigstore/sigstore.ts';
import { refusal, SIGNER, type VectorCase } from '../support/sigstore/vector.ts';

const WORKFLOW = 'https://github.com/a/b/.github/workflows/c.yaml@refs/tags/v1';

let sigstore: TestSigstore;
beforeAll(async () => {
  sigstore = await TestSigstore.start();
});

function asCertificate(details: Parameters<typeof signerExtensions>[1]): VectorCase {
  return { signing: { extensions: signerExtensions(SIGNER, details) } };
}

const SIGNATURE_USAGE = extensions.keyUsage('signature');
const CODE = extensions.uses(USES.codeSigning);
const HIGH_BIT = Buffer.from(
  [...Buffer.from('me@example.com')].map((byte, at) => (at === 1 ? byte | 0x80 : byte)),
);

const NOT_LETTERS = 'its certificate contains a name with bytes that are not letters';
const NO_KNOWN_NAME =
  'its certificate names its signer neither by an e-mail address nor by the address of a workflow';
const AUTHORITY = "its certificate is an authority's, not a signer's";
const NOT_SOFTWARE = 'its certificate is not for signatures of software';

const BAD_CERTIFICATES: readonly [what: string, reason: string, one: VectorCase][] = [
  ['letters with their highest bit set', NOT_LETTERS, asCertificate({ named: [names.email(HIGH_BIT)] })],
  ['a letter beyond ASCII', NOT_LETTERS, asCertificate({ named: [names.email('mé@example.com')] })],
  [
    'an issuer that is no UTF-8',
    'its certificate is malformed',
    asCertificate({ vouched: [extensions.issuer(Buffer.from([0x68, 0xf4]))] }),
  ],
  [
    'two issuers',
    'its certificate names two issuers that verified the identity in it',
    asCertificate({ vouched: [extensions.issuer(SIGNER.issuer), extensions.oldIssuer('https://x.example')] }),
  ],
  [
    'no issuer',
    'its certificate does not name the issuer that verified the identity in it',
    asCertificate({ vouched: [] }),
  ],
  [
    'two names',
    'its certificate names more than one signer',
    asCertificate({ named: [names.email(SIGNER.identity), names.uri(WORKFLOW)] }),
  ],
  ['no name', 'its certificate names no signer', asCertificate({ named: [] })],
  ['the name of a host', NO_KNOWN_NAME, asCertificate({ named: [names.dns('example.com')] })],
  ['a name of a user', NO_KNOWN_NAME, asCertificate({ named: [names.other('me!example.com')] })],
  [
    'a character that nobody sees',
    'it contains a name with invisible characters',
    asCertificate({ named: [names.email('me@example.com\n')] }),
  ],
  ["a server's use", NOT_SOFTWARE, asCertificate({ usage: [SIGNATURE_USAGE, extensions.uses(USES.server)] })],
  ['no use', NOT_SOFTWARE, asCertificate({ usage: [SIGNATURE_USAGE] })],
  [
    'the right to issue',
    AUTHORITY,
    asCertificate({ usage: [SIGNATURE_USAGE, CODE, extensions.authority()] }),
  ],
  [
    'the right to sign certificates',
    AUTHORITY,
    asCertificate({ usage: [extensions.keyUsage('signature', 'certificates'), CODE] }),
  ],
  [
    'no right to sign',
    'its certificate is not for signatures',
    asCertificate({ usage: [extensions.keyUsage(), CODE] }),
  ],
  ['no word on what it may do', 'its certificate is not for signatures', asCertificate({ usage: [CODE] })],
  [
    'a condition that nobody here knows',
    'its certificate has an unknown condition',
    asCertificate({
      usage: [SIGNATURE_USAGE, CODE, { id: '2.5.29.30', isCritical: true, value: der(0x30) }],
    }),
  ],
  [
    'an extension twice',
    'its certificate is malformed',
    asCertificate({ usage: [SIGNATURE_USAGE, CODE, CODE] }),
  ],
  ['no log that has seen it', 'CERTIFICATE_ERROR', { signing: { certificateLogs: 0 } }],
  ['the word of one log twice', 'CERTIFICATE_ERROR', { signing: { certificateLogs: 2 } }],
];

describe('a certificate is refused that has', () => {
  test.each(BAD_CERTIFICATES)('%s', async (_what, reason, one) => {
    expect(await refusal(sigstore, one)).toBe(reason);
  });
});
