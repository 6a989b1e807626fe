/** The login that a registry asks for (RFC 9110, 11.6.1; distribution-spec token authentication). */
export type Challenge = { readonly scheme: 'basic' } | BearerChallenge;

export interface BearerChallenge {
  readonly scheme: 'bearer';
  /** The address of the token service. */
  readonly realm: string;
  readonly service: string | undefined;
  /** What the token has to allow. */
  readonly scopes: readonly string[];
}

/** Returns whether two challenges ask for the same login. Their scopes do not matter. */
export function isSameChallenge(one: Challenge, other: Challenge): boolean {
  if (one.scheme === 'basic' || other.scheme === 'basic') return one.scheme === other.scheme;
  return one.realm === other.realm && one.service === other.service;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
/** What Negotiate and others have instead of parameters. */
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*/y;
/** More than a token, because some forget the quotes around an address or a scope. */
const UNQUOTED = /[^\s,"]+/y;
const LENGTH_LIMIT = 16_384;

/** Reads a text from its start to its end in linear time, so that no header can make it slow. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  skip(characters: string): void {
    while (!this.isAtEnd && characters.includes(this.#text.charAt(this.#at))) this.#at += 1;
  }

  takeAll(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  take(character: string): boolean {
    if (this.#text.charAt(this.#at) !== character) return false;
    this.#at += 1;
    return true;
  }

  takeQuoted(): string {
    let value = '';
    while (!this.isAtEnd) {
      const character = this.#text.charAt(this.#at++);
      if (character === '"') break;
      value += character === '\\' ? this.#text.charAt(this.#at++) : character;
    }
    return value;
  }

  /** Skips the text in the place of parameters, up to a comma or the end of the header. */
  skipToken68(): void {
    const start = this.#at;
    this.takeAll(TOKEN68);
    this.skip(' \t');
    if (!this.isAtEnd && this.#text.charAt(this.#at) !== ',') this.#at = start;
  }

  skipPastComma(): void {
    while (!this.isAtEnd && !this.take(',')) {
      if (this.take('"')) this.takeQuoted();
      else this.#at += 1;
    }
  }
}

interface RawChallenge {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
}

function parseRaw(header: string): RawChallenge[] {
  const scanner = new Scanner(header.slice(0, LENGTH_LIMIT));
  const challenges: RawChallenge[] = [];
  while (!scanner.isAtEnd) {
    scanner.skip(' \t,');
    const name = scanner.takeAll(TOKEN);
    if (name === undefined) {
      scanner.skipPastComma();
      continue;
    }
    scanner.skip(' \t');
    const current = challenges.at(-1);
    if (scanner.take('=')) {
      scanner.skip(' \t');
      const value = scanner.take('"') ? scanner.takeQuoted() : (scanner.takeAll(UNQUOTED) ?? '');
      current?.parameters.set(name.toLowerCase(), value);
    } else {
      challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
      scanner.skipToken68();
    }
  }
  return challenges;
}

/**
 * Reads `WWW-Authenticate`, one or several headers with one or several challenges each. Returns the challenge to
 * answer: Bearer if there is one, else Basic; undefined if there is neither.
 */
export function parseChallenge(headers: string | readonly string[] | undefined): Challenge | undefined {
  const all = [headers ?? []].flat().flatMap(parseRaw);
  for (const { scheme, parameters } of all) {
    const realm = parameters.get('realm') ?? '';
    if (scheme !== 'bearer' || realm.trim() === '') continue;
    const scopes = (parameters.get('scope') ?? '').split(/\s+/).filter((scope) => scope !== '');
    return { scheme: 'bearer', realm, service: parameters.get('service'), scopes };
  }
  return all.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
}
