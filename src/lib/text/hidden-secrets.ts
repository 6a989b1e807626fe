/** What can be in front of a login in a word: quotes, brackets, the name of a flag or field. */
const BEFORE_LOGIN = /["'`([{<=,“‘]/;
const AT_SIGN = /[@＠]/;
/** A port, and nothing of a password. */
const PORT = /:\d{1,5}$/;
/** A parameter of an address whose value opens something: `access_token`, `X-Amz-Signature`, `sig`. */
const SECRET_PARAMETER =
  /([?&][\w.~-]{0,60}?(?:token|secret|passw|pwd|sig|credential|apikey|api_key|auth|accesskey|access_key|code)[\w.~-]{0,60}=)[^\s&"'`#)]+/gi;
/** A word that stands next to a secret in commands and settings. */
const SECRET_WORD =
  /(?:^|[^a-z/.])(?:log-?in|passw(?:or)?d|pass|pwd|token|secrets?|creds|credentials?|authorization|bearer|api-?_?key)(?:$|[^a-z/.])/i;

/** The variable of a shell with a secret. */
const SECRET_VALUE = /^\w{0,60}(?:passw(?:or)?d|token|secret|credentials?|api_?key)\w{0,60}=/i;
/** The account of a request, as curl takes it. Docker takes numbers for a user and a group. */
const ACCOUNT = /\s(?:-u|--user)[\s=]["']?[a-z][^\s:]{0,60}:\S/i;

/** Returns whether a text has a user name, a password or a token in front of a host. */
export function hasLogin(text: string): boolean {
  if (!AT_SIGN.test(text)) return false;
  return [...text.matchAll(/\S+/g)].some(([word]) => findLogin(word)?.isCertain === true);
}

/**
 * Returns a text without logins in its addresses: `user:password@host`, `https://token@host`. Also leaves out what may be one,
 * such as `user:password@`, which is left of an address if a variable for the host is not set.
 */
export function withoutLogins(text: string): string {
  return AT_SIGN.test(text) ? text.replace(/\S+/g, withoutLoginOf) : text;
}

/**
 * Returns a text without logins in its addresses and without values of parameters that open something. Messages quote what
 * people and servers wrote, and logs keep it.
 */
export function withoutSecrets(text: string): string {
  const named = withoutLogins(text);
  return /[?&]/.test(named) ? named.replace(SECRET_PARAMETER, '$1…') : named;
}

/**
 * Returns whether a text is a command or setting that may contain a secret, such as `docker login -p …` and `TOKEN=…`, and not
 * one word without a value.
 */
export function mayHoldSecret(text: string): boolean {
  return (/\S\s+\S/.test(text) && (SECRET_WORD.test(text) || ACCOUNT.test(text))) || SECRET_VALUE.test(text);
}

function withoutLoginOf(word: string): string {
  const login = findLogin(word);
  return login === undefined ? word : `${word.slice(0, login.start)}${word.slice(login.end)}`;
}

/** A login in a word, with the `@` behind it. */
interface FoundLogin {
  readonly start: number;
  readonly end: number;
  /** Whether it is no image whose digest is missing, such as `nginx:latest@`. */
  readonly isCertain: boolean;
}

function findLogin(written: string): FoundLogin | undefined {
  // Input methods write other characters for these.
  const word = written.replaceAll('＠', '@').replaceAll('：', ':').replaceAll('／', '/');
  const at = endOfLogin(word);
  if (at < 0) return undefined;
  const before = word.slice(0, at);
  const scheme = before.indexOf('://');
  const start = scheme < 0 ? startOfName(before) : scheme + '://'.length;
  const login = before.slice(start);
  const isLogin = scheme < 0 ? isPair(login) : isLoginOfAddress(login);
  const hasHost = /^[\w.[-]/.test(word.slice(at + 1));
  return isLogin ? { start, end: at + 1, isCertain: hasHost || scheme >= 0 } : undefined;
}

/** Returns where the last `@` is that is not the one of a digest; -1 for none. A password can contain one. */
function endOfLogin(word: string): number {
  let at = word.lastIndexOf('@');
  while (at > 0 && /^@sha(?:256|512):/i.test(word.slice(at, at + 8))) at = word.lastIndexOf('@', at - 1);
  return at > 0 ? at : -1;
}

/** Returns where a name begins that may have a login: behind quotes and the name of a flag. */
function startOfName(before: string): number {
  const colon = before.indexOf(':');
  let start = colon < 0 ? before.length : colon;
  while (start > 0 && !BEFORE_LOGIN.test(before.charAt(start - 1))) start -= 1;
  return start;
}

/** Returns whether a text in front of `@` is a user name and a password; otherwise it is the path of an image. */
function isPair(login: string): boolean {
  return login.includes(':') && !login.includes('/');
}

/** Returns whether a text between `://` and `@` is a login. A password can contain a slash, and a path can contain `@`. */
function isLoginOfAddress(login: string): boolean {
  const slash = login.indexOf('/');
  if (slash < 0) return login !== '';
  const first = login.slice(0, slash);
  return first.includes(':') && !PORT.test(first);
}
