import { RE2JS } from 're2js';

// The signer as named in the certificate: an e-mail address, or the address of a workflow,
// https://github.com/OWNER/REPOSITORY/.github/workflows/FILE@REF. In a pattern of a file, "*" is text within one of these
// parts and "**" is any text. https://github.com/sigstore/fulcio/blob/main/docs/oidc.md

/** Text that a star stands for. If it crossed parts, a branch could have a name that ends like another identity. */
const WITHIN = '[^/@]*';
const STARS = /\*+/;
const EACH_STAR = /\*+/g;

/** Returns whether a pattern matches a whole identity. */
export function isIdentity(pattern: string, identity: string): boolean {
  const literals = pattern.split(/\*+/).map((part) => RE2JS.quote(part));
  const gaps = [...pattern.matchAll(/\*+/g)].map(([stars]) => (stars.length === 1 ? WITHIN : '.*'));
  const expression = literals.map((literal, index) => `${literal}${gaps[index] ?? ''}`).join('');
  return RE2JS.compile(expression, RE2JS.DOTALL).testExact(identity);
}

/** Returns whether a pattern fails to match only because of "/" or "@"; until version 1.0 a star stood for any text. */
export function isNearly(pattern: string, identity: string): boolean {
  return !isIdentity(pattern, identity) && isIdentity(pattern.replaceAll(EACH_STAR, '**'), identity);
}

/** Anyone can own an account there, also one whose name begins like another. */
const OPEN_OWNER = /^https:\/\/(github\.com|gitlab\.com)\/[^/]*\*/;

/** Returns what is wrong with a pattern that leaves open at which host the signer is; undefined if it does not. */
export function findAnyone(pattern: string): string | undefined {
  if (!STARS.test(pattern)) return undefined;
  if (/^[*@/:.]+$/.test(pattern.replace(/^https?:/, ''))) return 'this matches everyone';
  const [, forge] = OPEN_OWNER.exec(pattern) ?? [];
  if (forge !== undefined) return `this matches anyone at ${forge}`;
  const isBound = /^[a-z][a-z0-9+.-]*:\/\//.test(pattern)
    ? /^[^/]*\/\/[^/*@]+\//.test(pattern)
    : /@[^@*]+$/.test(pattern);
  return isBound ? undefined : 'this matches anyone at any host';
}

const BEYOND_ASCII = /[^\x21-\x7e]/u;

/**
 * Returns a warning about an identity that no certificate contains, because certificates do not contain its letters; else
 * undefined.
 */
export function adviseOnLetters(pattern: string): string | undefined {
  const [odd] = BEYOND_ASCII.exec(pattern) ?? [];
  if (odd === undefined) return undefined;
  const code = (odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `no certificate has an identity like ${JSON.stringify(pattern)}: it contains U+${code}, but certificates contain only ASCII`;
}

const GITHUB = 'https://github.com/';
/** Workflows that anyone may call. The certificate names them, and not the caller. */
const CALLED_BY_ALL =
  /^(?:slsa-framework\/slsa-github-generator|github\/artifact-attestations-workflows|docker\/github-builder(?:-experimental)?)\//i;
/** A branch, a tag, a commit, or a pattern of them. */
const REF = /^(?:refs\/[^/]+\/|\*\*|refs\/\*\*|[0-9a-f]{40}$)/;
/** Every branch, or everything. Then everyone who may push a branch may sign. */
const ANY_REF = /^(?:refs\/(?:heads\/)?)?\*+$/;

/** Returns an identity with "**" in place of each longer run of stars, which means the same; undefined if it has none. */
export function withoutLongStars(pattern: string): string | undefined {
  return pattern.includes('***') ? pattern.replaceAll(/\*{3,}/g, '**') : undefined;
}

/**
 * Returns a warning about the pattern of a workflow at GitHub: what it leaves open, or that no workflow has such an
 * address; undefined if there is nothing to warn about, and for other identities.
 */
export function adviseOnWorkflow(pattern: string): string | undefined {
  if (!pattern.startsWith(GITHUB)) return undefined;
  if (CALLED_BY_ALL.test(pattern.slice(GITHUB.length))) {
    return `${JSON.stringify(pattern)} is a workflow that anyone can call to sign any image: write a workflow of the publisher`;
  }
  const at = pattern.indexOf('@');
  const path = pattern.slice(GITHUB.length, at < 0 ? undefined : at).split('/');
  const spans = path.findIndex((part) => part.includes('**'));
  const [, repository, folder, workflows, file] = path;
  const isWhole =
    path.length === 5 && isLike(folder, '.github') && isLike(workflows, 'workflows') && file !== '';
  const ref = at < 0 ? (path.at(-1)?.endsWith('**') ? '**' : undefined) : pattern.slice(at + 1);
  if (ref === undefined || !REF.test(ref) || (!isWhole && spans < 0)) {
    return `no workflow has an address like ${JSON.stringify(pattern)}: ${FORM}`;
  }
  const isOpen = (part: string | undefined, index: number): boolean =>
    (spans >= 0 && spans <= index) || part === undefined || /^\*+$/.test(part);
  const open = [
    ...(isOpen(repository, 1) ? ['repository'] : []),
    ...(isOpen(file, 4) ? ['workflow'] : []),
    ...(ANY_REF.test(ref) ? ['branch'] : []),
  ];
  if (open.length === 0) return undefined;
  return `${JSON.stringify(pattern)} accepts any ${open.join(', any ')}: ${FORM}`;
}

const FORM =
  'write https://github.com/OWNER/REPOSITORY/.github/workflows/FILE.yml@refs/tags/v*, where "*" stands for text without "/" and "@", and "**" for any text';

function isLike(part: string | undefined, name: string): boolean {
  return part !== undefined && isIdentity(part, name);
}
