import { Failure } from '../lib/failure.ts';
import { isLoopback } from '../lib/http/loopback.ts';
import { joinWords } from '../lib/text/sentence.ts';
import { withoutTrailing } from '../lib/text/trailing.ts';

/** The hosts of the makers of Kubernetes and what it needs. */
const MAKER_HOSTS = ['dl.k8s.io', 'github.com', 'raw.githubusercontent.com', 'get.helm.sh'] as const;

type MakerHost = (typeof MAKER_HOSTS)[number];

/** Where what is at a maker's host is had instead. */
export interface MirrorEntry {
  /** Undefined for all upstream hosts, which follow the address as `ADDRESS/HOST/PATH`. */
  readonly host: MakerHost | undefined;
  readonly base: URL;
}

function toMakerHost(text: string): MakerHost | undefined {
  return MAKER_HOSTS.find((host) => host === text.toLowerCase());
}

/** Returns an address without a login. Throws `FLAG_MALFORMED`, without the text, in which a password may stand. */
function parseBase(text: string, about: string): URL {
  const refuse = (message: string, hint: string): never => {
    throw new Failure({ code: 'FLAG_MALFORMED', fault: 'usage', about, message, hint });
  };
  const example = 'such as https://mirror.example.com';
  const base = URL.canParse(text) ? new URL(text) : undefined;
  if (base === undefined) {
    return refuse('a mirror is no whole address', `begin it with https://, ${example}`);
  }
  if (base.hostname.includes('=')) {
    return refuse(
      'a mirror has "=" in the name of its host',
      'write an upstream host without https:// before it, such as github.com=https://mirror.example.com',
    );
  }
  if (base.username !== '' || base.password !== '') {
    return refuse(
      'a mirror has a user name or a password in its address',
      'remove it: keel-pkg never logs in to an upstream mirror',
    );
  }
  if (base.search !== '' || base.hash !== '' || text.includes('?') || text.includes('#')) {
    return refuse('a mirror has a query or a fragment in its address', `write it without them, ${example}`);
  }
  const isSecure = base.protocol === 'https:';
  if (!isSecure && !(base.protocol === 'http:' && isLoopback(base.hostname))) {
    return refuse(
      `the mirror ${base.host || 'there'} is not spoken to over HTTPS`,
      'write https://; only a mirror on this machine may go without',
    );
  }
  return base;
}

/** Returns the address of a mirror of all makers. Throws `FLAG_MALFORMED` as well where it is that of one of them. */
function parseBaseOfAll(text: string, about: string): URL {
  const base = parseBase(text, about);
  const folder = withoutTrailing(base.pathname, '/');
  const host = toMakerHost(folder.slice(folder.lastIndexOf('/') + 1));
  if (host === undefined) return base;
  throw new Failure({
    code: 'FLAG_MALFORMED',
    fault: 'usage',
    about,
    message: `a mirror of all upstream hosts ends in ${host}, which keel-pkg appends to its address anyway`,
    hint: `leave /${host} out, or write ${host}= before the address to have a mirror of ${host} alone`,
  });
}

/** Returns an entry from `URL` or `HOST=URL`. Throws `FLAG_MALFORMED`. */
export function parseMirrorEntry(text: string, about: string): MirrorEntry {
  const equals = text.indexOf('=');
  // An address may have = behind its slashes, and the name of a host has no slash.
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

/** Where the files of the makers of Kubernetes are had, for those who do not reach the makers. */
export class UpstreamMirror {
  readonly entries: readonly MirrorEntry[];

  /** An entry for one host goes before one for all. Without entries each address stays what it is. */
  constructor(entries: readonly MirrorEntry[] = []) {
    this.entries = entries;
  }

  /** Returns whether an address is upstream, and no mirror takes its place although one could. */
  mayBeMapped(url: URL): boolean {
    return url.protocol === 'https:' && toMakerHost(url.host) !== undefined && !this.isMapped(url);
  }

  /** Returns whether an address of a maker is replaced. */
  isMapped(url: URL): boolean {
    return this.#entryFor(url) !== undefined;
  }

  /** Returns the address of the mirror that takes the place of an address of a maker; undefined where none does. */
  baseOf(url: URL): URL | undefined {
    return this.#entryFor(url)?.base;
  }

  /** Returns where an address of a maker is asked for instead; the same address where nothing replaces it. */
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
