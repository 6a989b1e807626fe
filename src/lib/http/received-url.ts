/**
 * An address that a server sent, such as a `Location`. `URL` encodes some of its characters differently, among them the
 * apostrophe, which would break a signature of the address. A request has the path and query as received.
 */
export class ReceivedUrl extends URL {
  /** The path and query for a request. */
  readonly target: string;

  constructor(text: string, base: URL) {
    super(text, base);
    this.target = targetOf(text, this, base);
  }
}

/** Returns the path and query of a request to an address. */
export function requestTarget(url: URL): string {
  return url instanceof ReceivedUrl ? url.target : `${url.pathname}${url.search}`;
}

/** Returns an address with a further parameter, otherwise as it was received. */
export function withParameter(url: URL, parameter: string): URL {
  const target = requestTarget(url);
  const separator = target.includes('?') ? '&' : '?';
  return new ReceivedUrl(`${url.origin}${target}${separator}${parameter}`, url);
}

const PARTS = /^(?<origin>(?:[a-z][a-z\d+.-]*:)?\/\/[^/?\\]*)?(?<path>[^?]*)(?<query>\?.*)?$/is;
/** Parts of a path that are relative to others. */
const RELATIVE = /\\|(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;

function targetOf(text: string, parsed: URL, base: URL): string {
  const { origin = '', path = '', query = '' } = PARTS.exec(text.trim().replace(/#.*$/s, ''))?.groups ?? {};
  if (origin === '' && path === '') return `${requestTarget(base).replace(/\?.*$/s, '')}${asked(query)}`;
  const isExact = path.startsWith('/') && !RELATIVE.test(path);
  return `${isExact ? asked(path) : parsed.pathname}${asked(query)}`;
}

/** Encodes characters that the first line of a request cannot contain. Node reads each byte of a header as one character. */
function asked(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\x21-\x7e]/gu, (character) =>
      character > '\xff'
        ? encodeURIComponent(character)
        : `%${Buffer.from(character, 'latin1').toString('hex').toUpperCase()}`,
    );
}
