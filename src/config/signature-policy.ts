import { z } from 'zod';
import { Failure } from '../lib/failure.ts';
import {
  DOCKER_HUB,
  type Host,
  isHostPart,
  parseHost,
  parseRepository,
  type Repository,
  type Tag,
} from '../registry/oci/reference.ts';
import type { Document } from './document.ts';
import { KUBERNETES_REGISTRY, OLD_KUBERNETES_REGISTRY } from './image-set-name.ts';
import type { Notice, Problem } from './problem.ts';
import {
  adviseOnLetters,
  adviseOnWorkflow,
  findAnyone,
  isIdentity,
  withoutLongStars,
} from './signer-identity.ts';
import { textOf } from './validation.ts';

/** A trusted signer: the identity in the certificate, and the issuer that confirmed it. */
export interface Signer {
  /** An e-mail address or the URL of a workflow. `*` means any text without "/" and "@", `**` any text. */
  readonly identity: string;
  /** The exact URL of the identity provider. */
  readonly issuer: string;
  /** The registry whose image names the signatures contain, if it is another one. */
  readonly signedAs?: PolicyScope | undefined;
  /** Whether a signature without an image name is accepted. One of this signer's then counts for any image of the scope. */
  readonly acceptUnnamed?: true | undefined;
}

/** How a certificate names the signer: by an e-mail address, or by a URI, such as the address of a workflow. */
export type IdentityKind = 'email' | 'uri';

/** A registry, or all repositories below one of its paths. */
export interface PolicyScope {
  readonly host: Host;
  readonly path: Repository | undefined;
}

/** The key of a rule for a registry, a path or a tag, in a map such as `movedTags`. */
export interface WrittenScope extends Pick<Notice, 'place'> {
  readonly map: 'movedTags' | 'signatures';
  readonly scope: PolicyScope & { readonly tag?: Tag | undefined };
}

/** Whose signatures are trusted for the images of a scope. `off` requires none. */
type SignaturePolicy =
  | { readonly kind: 'off' }
  | { readonly kind: 'signed'; readonly signers: readonly Signer[] };

/** The policies of a file, each with its scope. */
export type SignaturePolicies = readonly { readonly scope: PolicyScope; readonly policy: SignaturePolicy }[];

/** https://kubernetes.io/docs/tasks/administer-cluster/verify-signed-artifacts/ */
const KUBERNETES_SIGNER: Signer = {
  identity: 'krel-trust@k8s-releng-prod.iam.gserviceaccount.com',
  issuer: 'https://accounts.google.com',
};

/** The policies for scopes that a file does not mention. */
const KNOWN_POLICIES: SignaturePolicies = [
  {
    scope: { host: parseHost(KUBERNETES_REGISTRY), path: undefined },
    policy: { kind: 'signed', signers: [KUBERNETES_SIGNER] },
  },
];

function malformed(message: string, hint: string): Failure<'SIGNATURE_POLICY_MALFORMED'> {
  return new Failure({
    code: 'SIGNATURE_POLICY_MALFORMED',
    fault: 'usage',
    about: 'signatures',
    message,
    hint,
  });
}

/** Returns the scope `host` or `host/path`. Throws `SIGNATURE_POLICY_MALFORMED` or `REFERENCE_MALFORMED`. */
export function parseScope(text: string): PolicyScope {
  const [first = '', ...rest] = text.replace(/\/$/, '').split('/');
  if (!isHostPart(first)) {
    throw malformed(
      `expected a registry, found ${JSON.stringify(text.slice(0, 200))}`,
      'write its host, or its host and the beginning of a path, such as ghcr.io/flannel-io',
    );
  }
  if (text.endsWith('*')) {
    throw malformed('a scope needs no star', `write "${text.replace(/\/?\*+$/, '')}"`);
  }
  const host = parseHost(first, text);
  const path = rest.length === 0 ? undefined : parseRepository(rest.join('/'), text);
  return { host: host === OLD_KUBERNETES_REGISTRY ? parseHost(KUBERNETES_REGISTRY) : host, path };
}

/** Returns a scope as a file writes it. */
export function formatScope({ host, path }: PolicyScope): string {
  return path === undefined ? host : `${host}/${path}`;
}

function readIdentity(text: string): string {
  const anyone = findAnyone(text);
  if (anyone !== undefined) {
    throw malformed(
      anyone,
      'write an e-mail address, or the address of a workflow, which starts with https://',
    );
  }
  const meant = withoutLongStars(text);
  if (meant !== undefined) {
    throw malformed(
      'there are more than two stars in a row',
      `write ${JSON.stringify(meant.slice(0, 200))}; "**" stands for any text already`,
    );
  }
  if (text !== '' && text.length <= 1000 && !/\s/.test(text)) return text;
  throw malformed(
    `expected the identity in a certificate, found ${JSON.stringify(text.slice(0, 200))}`,
    'write an e-mail address or the address of a workflow; "*" stands for text without "/" and "@"',
  );
}

function readIssuer(text: string): string {
  if (URL.canParse(text) && text.startsWith('https://') && !/[\s*]/.test(text)) return text;
  throw malformed(
    `expected the address of an identity provider, found ${JSON.stringify(text.slice(0, 200))}`,
    'GitHub Actions is https://token.actions.githubusercontent.com, Google is https://accounts.google.com',
  );
}

const signerSchema = z.strictObject({
  identity: textOf(readIdentity),
  issuer: textOf(readIssuer),
  signedAs: textOf(parseScope).optional(),
  acceptUnnamed: z
    .boolean()
    .transform((accept) => (accept ? true : undefined))
    .optional(),
});

/** The schema of `signatures` in an image set and in a versions.json. */
export const signaturesSchema = z.record(
  z.string(),
  z.union([z.literal('off'), signerSchema, z.array(signerSchema).min(1)]),
);

type ParsedSignatures = z.output<typeof signaturesSchema>;

function toPolicy(value: ParsedSignatures[string]): SignaturePolicy {
  if (value === 'off') return { kind: 'off' };
  return { kind: 'signed', signers: Array.isArray(value) ? value : [value] };
}

/**
 * Returns the policies under `signatures` of a document, their scopes with places, problems of their scopes, and
 * notices about their signers.
 */
export function readSignaturePolicies(
  document: Document,
  parsed: ParsedSignatures,
): {
  readonly policies: SignaturePolicies;
  readonly scopes: readonly WrittenScope[];
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
} {
  const policies: { scope: PolicyScope; policy: SignaturePolicy }[] = [];
  const scopes: WrittenScope[] = [];
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(parsed)) {
    const place = document.keyPlace(['signatures', key]);
    try {
      const scope = parseScope(key);
      const isTaken = policies.some((known) => formatScope(known.scope) === formatScope(scope));
      if (isTaken)
        problems.push({ place, message: `${formatScope(scope)} is already in the file under another name` });
      else {
        policies.push({ scope, policy: toPolicy(value) });
        scopes.push({ map: 'signatures', scope, place });
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problems.push({ place, message: `${error.message} (${error.hint})` });
    }
  }
  return { policies, scopes, problems, notices: noticesOf(document, parsed) };
}

function noticesOf(document: Document, parsed: ParsedSignatures): Notice[] {
  return Object.entries(parsed).flatMap(([key, value]) => {
    if (value === 'off') return [];
    const signers = Array.isArray(value) ? value : [value];
    return signers.flatMap(({ identity }, index) => {
      const message = adviseOnLetters(identity) ?? adviseOnWorkflow(identity);
      const path = ['signatures', key, ...(Array.isArray(value) ? [index] : []), 'identity'];
      return message === undefined ? [] : [{ place: document.place(path), message }];
    });
  });
}

/** Returns policies as a file writes them. */
export function formatSignaturePolicies(policies: SignaturePolicies): object {
  const entries = policies.map(({ scope, policy }): [string, unknown] => [
    formatScope(scope),
    policy.kind === 'off'
      ? 'off'
      : policy.signers.map(({ signedAs, ...signer }) => ({
          ...signer,
          signedAs: signedAs && formatScope(signedAs),
        })),
  ]);
  return Object.fromEntries(entries);
}

/**
 * Returns how many characters of a repository a scope names; undefined if the repository is not in the scope. On Docker
 * Hub, the scope `busybox` contains library/busybox, which is its short name everywhere, and all repositories below
 * `busybox/`.
 */
export function lengthOfScope(
  { host, path = '' }: { readonly host: string; readonly path?: string | undefined },
  image: { readonly host: string; readonly repository: string },
): number | undefined {
  if (host !== image.host) return undefined;
  if (path === '' || `${image.repository}/`.startsWith(`${path}/`)) return path.length;
  return host === DOCKER_HUB && image.repository === `library/${path}` ? image.repository.length : undefined;
}

/** Returns the policy with the narrowest scope that contains a repository, or undefined. */
export function policyFor(
  policies: SignaturePolicies,
  image: { readonly host: Host; readonly repository: Repository },
): SignaturePolicies[number] | undefined {
  const fits = [...policies, ...KNOWN_POLICIES].flatMap((policy) => {
    const length = lengthOfScope(policy.scope, image);
    return length === undefined ? [] : [{ policy, length }];
  });
  // The first of equal scopes: a file takes precedence over the built-in policies.
  return fits.toSorted((one, other) => other.length - one.length)[0]?.policy;
}

/** Returns how an identity in a policy names the signer. */
function identityKind(identity: string): IdentityKind {
  return identity.includes('://') ? 'uri' : 'email';
}

/**
 * Returns whether a trusted signer's pattern matches a whole identity of its kind, and the issuer is the same. The kinds are
 * kept apart because a URI may be `me@example.com` too: an issuer that verifies e-mail addresses may let people choose a URI.
 */
export function isSigner(
  wanted: Signer,
  found: Pick<Signer, 'identity' | 'issuer'> & { readonly identityKind: IdentityKind },
): boolean {
  return (
    wanted.issuer === found.issuer &&
    identityKind(wanted.identity) === found.identityKind &&
    isIdentity(wanted.identity, found.identity)
  );
}
