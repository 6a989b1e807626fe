import type { IdentityKind, Signer } from '../config/signature-policy.ts';
import { DerError, type DerValue, derContent, derValues } from './der.ts';
import { Untrusted } from './untrusted.ts';

/** The signer that a certificate names, the kind of that name, and who issued it. */
export interface FoundSigner extends Pick<Signer, 'identity' | 'issuer'> {
  readonly identityKind: IdentityKind;
}

const TAG = {
  boolean: 0x01,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  extensions: 0xa3,
};

// Object identifiers as certificates have them. https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1
const KEY_USAGE = '551d0f';
const ALTERNATIVE_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const EXTENDED_KEY_USAGE = '551d25';
const CODE_SIGNING = '2b06010505070303';
const TIME_STAMPING = '2b06010505070308';
/** https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md */
const ISSUER = '2b0601040183bf300108';
/** The issuer in certificates from before 2023: without an encoding of its own. */
const OLD_ISSUER = '2b0601040183bf300101';
/** A reader that does not know a critical extension must refuse the certificate. */
const KNOWN: ReadonlySet<string> = new Set([
  KEY_USAGE,
  ALTERNATIVE_NAME,
  BASIC_CONSTRAINTS,
  EXTENDED_KEY_USAGE,
]);

/** The kinds of names in a certificate that identify a signer. https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6 */
const NAME_KINDS: ReadonlyMap<number, IdentityKind> = new Map([
  [0x81, 'email'],
  [0x86, 'uri'],
]);

const UNSEEN = /[\p{Cc}\p{Cf}\p{Z}]/u;

interface Extension {
  readonly isCritical: boolean;
  readonly content: Buffer;
}

/** Returns the extensions of a certificate by their object identifiers, and whether it is its own issuer. */
function readCertificate(bytes: Buffer): {
  readonly extensions: ReadonlyMap<string, Extension>;
  readonly isOwnIssuer: boolean;
} {
  const [body] = derValues(derContent(bytes, TAG.sequence));
  // After the version: serial number, algorithm, issuer, validity, subject, key.
  const [, , , issuer, , subject] = body === undefined ? [] : derValues(body.content);
  if (body === undefined || issuer === undefined || subject === undefined)
    throw new DerError('it is cut off');
  const extensions = new Map<string, Extension>();
  const list = derValues(body.content).find(({ tag }) => tag === TAG.extensions);
  for (const each of list === undefined ? [] : derValues(derContent(list.content, TAG.sequence))) {
    const [oid, ...rest] = derValues(each.content);
    const value = rest.at(-1);
    const id = oid?.content.toString('hex');
    if (oid?.tag !== TAG.oid || id === undefined || value?.tag !== TAG.octets) {
      throw new DerError('an extension is malformed');
    }
    if (extensions.has(id)) throw new DerError('it has an extension twice');
    const isCritical = rest.some(({ tag, content }) => tag === TAG.boolean && content[0] === 0xff);
    extensions.set(id, { isCritical, content: value.content });
  }
  return { extensions, isOwnIssuer: issuer.content.equals(subject.content) };
}

function usages(extension: Extension | undefined): readonly string[] {
  if (extension === undefined) return [];
  return derValues(derContent(extension.content, TAG.sequence)).map(({ content }) => content.toString('hex'));
}

function isAuthority(extension: Extension | undefined): boolean {
  if (extension === undefined) return false;
  const [first] = derValues(derContent(extension.content, TAG.sequence));
  return first?.tag === TAG.boolean && first.content[0] !== 0;
}

function hasUsage(extension: Extension | undefined, bit: number): boolean {
  if (extension === undefined) return false;
  // The first byte is how many bits of the last one are unused.
  return ((derContent(extension.content, TAG.bits)[1] ?? 0) & (0x80 >> bit)) !== 0;
}

const DIGITAL_SIGNATURE = 0;
const CERTIFICATE_SIGNING = 5;

function textOf(bytes: Buffer): string {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  if (text === '' || UNSEEN.test(text)) {
    throw new Untrusted('it contains a name with invisible characters');
  }
  return text;
}

function readName(extension: Extension | undefined): Pick<FoundSigner, 'identity' | 'identityKind'> {
  const names: readonly DerValue[] =
    extension === undefined ? [] : derValues(derContent(extension.content, TAG.sequence));
  const [name, ...others] = names;
  if (name === undefined) throw new Untrusted('its certificate names no signer');
  // Sigstore's authority writes one name. If there were several, each reader could take another one.
  if (others.length > 0) throw new Untrusted('its certificate names more than one signer');
  const identityKind = NAME_KINDS.get(name.tag);
  if (identityKind === undefined) {
    throw new Untrusted(
      'its certificate names its signer neither by an e-mail address nor by the address of a workflow',
    );
  }
  // Names of these kinds have ASCII only: other bytes could be read in one way here and in another way there.
  if (name.content.some((byte) => byte > 0x7f)) {
    throw new Untrusted('its certificate contains a name with bytes that are not letters');
  }
  return { identity: textOf(name.content), identityKind };
}

function readIssuer(extensions: ReadonlyMap<string, Extension>): string {
  const current = extensions.get(ISSUER);
  const old = extensions.get(OLD_ISSUER);
  const issuers = [
    ...(current === undefined ? [] : [textOf(derContent(current.content, TAG.utf8))]),
    ...(old === undefined ? [] : [textOf(old.content)]),
  ];
  const [issuer] = issuers;
  if (issuer === undefined)
    throw new Untrusted('its certificate does not name the issuer that verified the identity in it');
  if (issuers.some((each) => each !== issuer)) {
    throw new Untrusted('its certificate names two issuers that verified the identity in it');
  }
  return issuer;
}

/**
 * Returns whom the certificate of a signer names. It reads the bytes themselves, and strictly: @sigstore ignores the
 * highest bit of each byte of a name, and accepts names of any kind and any certificate. Throws `Untrusted`.
 */
export function readSigner(certificate: Buffer): FoundSigner {
  return strictly(() => {
    const { extensions, isOwnIssuer } = readCertificate(certificate);
    const keyUsage = extensions.get(KEY_USAGE);
    const mayIssue =
      isOwnIssuer ||
      isAuthority(extensions.get(BASIC_CONSTRAINTS)) ||
      hasUsage(keyUsage, CERTIFICATE_SIGNING);
    if (mayIssue) throw new Untrusted("its certificate is an authority's, not a signer's");
    if (!hasUsage(keyUsage, DIGITAL_SIGNATURE)) {
      throw new Untrusted('its certificate is not for signatures');
    }
    if (!usages(extensions.get(EXTENDED_KEY_USAGE)).includes(CODE_SIGNING)) {
      throw new Untrusted('its certificate is not for signatures of software');
    }
    for (const [id, { isCritical }] of extensions) {
      if (isCritical && !KNOWN.has(id)) {
        throw new Untrusted('its certificate has an unknown condition');
      }
    }
    return { ...readName(extensions.get(ALTERNATIVE_NAME)), issuer: readIssuer(extensions) };
  });
}

/** Returns whether a certificate is one for timestamps. https://www.rfc-editor.org/rfc/rfc3161#section-2.3 */
export function isForTimestamps(certificate: Buffer): boolean {
  const { extensions } = readCertificate(certificate);
  const stated = usages(extensions.get(EXTENDED_KEY_USAGE));
  return stated.length === 1 && stated[0] === TIME_STAMPING;
}

function strictly<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof Untrusted) throw error;
    throw new Untrusted('its certificate is malformed', { cause: error });
  }
}
