import { RE2JS } from 're2js';

// Who signed, as the certificate has it: an e-mail address, or the address of a workflow,
// https://github.com/OWNER/REPOSITORY/.github/workflows/FILE@REF. In a pattern of a file, "*" is text within one of these
// parts and "**" is any text. https://github.com/sigstore/fulcio/blob/main/docs/oidc.md

/** Parts that a star does not cross: whoever may name a branch could else write the end of another identity into it. */
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

/** Returns whether only "/" or "@" keeps a star of a pattern from matching; until version 1.0 a star was any text. */
export function isNearly(pattern: string, identity: string): boolean {
  return !isIdentity(pattern, identity) && isIdentity(pattern.replaceAll(EACH_STAR, '**'), identity);
}

/** Everybody can be an owner there, also of a name that begins like another. */
const OPEN_OWNER = /^https:\/\/(github\.com|gitlab\.com)\/[^/]*\*/;

/** Returns what is wrong with a pattern that leaves open at which place the signer is; undefined where it does not. */
export function findAnyone(pattern: string): string | undefined {
  if (!STARS.test(pattern)) return undefined;
  if (/^[*@/:.]+$/.test(pattern.replace(/^https?:/, ''))) return 'this is everyone';
  const [, forge] = OPEN_OWNER.exec(pattern) ?? [];
  if (forge !== undefined) return `this is anyone at ${forge}`;
  const isBound = /^[a-z][a-z0-9+.-]*:\/\//.test(pattern)
    ? /^[^/]*\/\/[^/*@]+\//.test(pattern)
    : /@[^@*]+$/.test(pattern);
  return isBound ? undefined : 'this is anyone at any place';
}

const BEYOND_ASCII = /[^\x21-\x7e]/u;

/**
 * Returns a warning about an identity that no certificate has, as it has letters that certificates do not; else
 * undefined.
 */
export function adviseOnLetters(pattern: string): string | undefined {
  const [odd] = BEYOND_ASCII.exec(pattern) ?? [];
  if (odd === undefined) return undefined;
  const code = (odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `no certificate has an identity like ${JSON.stringify(pattern)}: it has U+${code}, and they have ASCII only`;
}

const GITHUB = 'https://github.com/';
/** Workflows that are there to be called by everybody. The certificate names them, and not who called. */
const CALLED_BY_ALL =
  /^(?:slsa-framework\/slsa-github-generator|github\/artifact-attestations-workflows|docker\/github-builder(?:-experimental)?)\//i;
/** A branch, a tag, a commit, or a pattern of them. */
const REF = /^(?:refs\/[^/]+\/|\*\*|refs\/\*\*|[0-9a-f]{40}$)/;
/** Every branch, or everything. Who may push a branch may sign then. */
const ANY_REF = /^(?:refs\/(?:heads\/)?)?\*+$/;

/** Returns an identity with "**" for each longer run of stars, which means no more than that; undefined if it has none. */
export function withoutLongStars(pattern: string): string | undefined {
  return pattern.includes('***') ? pattern.replaceAll(/\*{3,}/g, '**') : undefined;
}

/**
 * Returns a warning about the pattern of a workflow at GitHub: what it leaves open, or that no workflow has such an
 * address; undefined where there is nothing to warn of, and for other identities.
 */
export function adviseOnWorkflow(pattern: string): string | undefined {
  if (!pattern.startsWith(GITHUB)) return undefined;
  if (CALLED_BY_ALL.test(pattern.slice(GITHUB.length))) {
    return `${JSON.stringify(pattern)} is a workflow that anyone can call, to sign for any image: name a workflow of the publisher`;
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
  return `${JSON.stringify(pattern)} takes any ${open.join(', any ')}: ${FORM}`;
}

const FORM =
  'write https://github.com/OWNER/REPOSITORY/.github/workflows/FILE.yml@refs/tags/v*, where "*" stands for text without "/" and "@", and "**" for any';

function isLike(part: string | undefined, name: string): boolean {
  return part !== undefined && isIdentity(part, name);
}
