import { Failure } from '../lib/failure.ts';
import { isLoopback } from '../lib/http/loopback.ts';
import { joinWords } from '../lib/text/sentence.ts';
import { withoutTrailing } from '../lib/text/trailing.ts';

/** The hosts of upstream: of Kubernetes and its components. */
const MAKER_HOSTS = ['dl.k8s.io', 'github.com', 'raw.githubusercontent.com', 'get.helm.sh'] as const;

type MakerHost = (typeof MAKER_HOSTS)[number];

/** A mirror of one upstream host, or of all. */
export interface MirrorEntry {
  /** Undefined for all upstream hosts, which follow the address as `ADDRESS/HOST/PATH`. */
  readonly host: MakerHost | undefined;
  readonly base: URL;
}

function toMakerHost(text: string): MakerHost | undefined {
  return MAKER_HOSTS.find((host) => host === text.toLowerCase());
}

/** Returns an address without a login. Throws `FLAG_MALFORMED`, without the text, which may contain a password. */
function parseBase(text: string, about: string): URL {
  const refuse = (message: string, hint: string): never => {
    throw new Failure({ code: 'FLAG_MALFORMED', fault: 'usage', about, message, hint });
  };
  const example = 'such as https://mirror.example.com';
  const base = URL.canParse(text) ? new URL(text) : undefined;
  if (base === undefined) {
    return refuse('the address of a mirror is not complete', `start it with https://, ${example}`);
  }
  if (base.hostname.includes('=')) {
    return refuse(
      'the host of a mirror contains "="',
      'write an upstream host without https:// before it, such as github.com=https://mirror.example.com',
    );
  }
  if (base.username !== '' || base.password !== '') {
    return refuse(
      'the address of a mirror contains a user name or a password',
      'remove it: keel-pkg never logs in to an upstream mirror',
    );
  }
  if (base.search !== '' || base.hash !== '' || text.includes('?') || text.includes('#')) {
    return refuse(
      'the address of a mirror contains a query or a fragment',
      `write it without them, ${example}`,
    );
  }
  const isSecure = base.protocol === 'https:';
  if (!isSecure && !(base.protocol === 'http:' && isLoopback(base.hostname))) {
    return refuse(
      `${base.host === '' ? 'a mirror' : `the mirror ${base.host}`} does not use HTTPS`,
      'write https://; only a mirror on this machine may use http://',
    );
  }
  return base;
}

/** Returns the address of a mirror of all upstream hosts. Throws `FLAG_MALFORMED`, also if it ends in one of the hosts. */
function parseBaseOfAll(text: string, about: string): URL {
  const base = parseBase(text, about);
  const folder = withoutTrailing(base.pathname, '/');
  const host = toMakerHost(folder.slice(folder.lastIndexOf('/') + 1));
  if (host === undefined) return base;
  throw new Failure({
    code: 'FLAG_MALFORMED',
    fault: 'usage',
    about,
    message: `a mirror of all upstream hosts ends in ${host}, which keel-pkg appends itself`,
    hint: `remove /${host}, or write ${host}= before the address to use the mirror for ${host} only`,
  });
}

/** Returns an entry from `URL` or `HOST=URL`. Throws `FLAG_MALFORMED`. */
export function parseMirrorEntry(text: string, about: string): MirrorEntry {
  const equals = text.indexOf('=');
  // An address may contain = after its slashes, and the name of a host contains no slash.
  const name = equals < 0 || text.slice(0, equals).includes('/') ? undefined : text.slice(0, equals).trim();
  if (name === undefined) return { host: undefined, base: parseBaseOfAll(text, about) };
  const host = toMakerHost(name);
  if (host !== undefined) return { host, base: parseBase(text.slice(equals + 1).trim(), about) };
  throw new Failure({
    code: 'FLAG_MALFORMED',
    fault: 'usage',
    about,
    message: 'the text before "=" is not an upstream host',
    hint: `write ${joinWords(MAKER_HOSTS, 'or')} before it`,
  });
}

/** Where files of upstream are fetched if upstream itself cannot be reached. */
export class UpstreamMirror {
  readonly entries: readonly MirrorEntry[];

  /** An entry for one host takes precedence over one for all. Without entries, each address stays unchanged. */
  constructor(entries: readonly MirrorEntry[] = []) {
    this.entries = entries;
  }

  /** Returns whether an address is one of upstream that no mirror replaces. */
  mayBeMapped(url: URL): boolean {
    return url.protocol === 'https:' && toMakerHost(url.host) !== undefined && !this.isMapped(url);
  }

  /** Returns whether a mirror replaces an address. */
  isMapped(url: URL): boolean {
    return this.#entryFor(url) !== undefined;
  }

  /** Returns the address of the mirror that replaces an upstream address; undefined if there is none. */
  baseOf(url: URL): URL | undefined {
    return this.#entryFor(url)?.base;
  }

  /** Returns the address to request instead of an upstream address; the same address if nothing replaces it. */
  map(url: URL): URL {
    const entry = this.#entryFor(url);
    if (entry === undefined) return url;
    const mapped = new URL(entry.base);
    const folder = withoutTrailing(mapped.pathname, '/');
    mapped.pathname = `${folder}${entry.host === undefined ? `/${url.host}` : ''}${url.pathname}`;
    mapped.search = url.search;
    return mapped;
  }

  #entryFor(url: URL): MirrorEntry | undefined {
    const host = url.protocol === 'https:' ? toMakerHost(url.host) : undefined;
    if (host === undefined) return undefined;
    return (
      this.entries.find((entry) => entry.host === host) ??
      this.entries.find((entry) => entry.host === undefined)
    );
  }
}
