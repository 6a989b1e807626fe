import { Failure } from '../../lib/failure.ts';
import { type Host, parseHost } from '../../registry/oci/reference.ts';
import type { RegistryLogin } from '../../registry/registries.ts';
import type { Flag } from './flag.ts';

const LINE = /^(\S+)\s+(\S+)\s+(\S.*)$/;

/** Returns the flag for logins at further registries, under a heading. It contains passwords, so it is not an argument. */
export function loginsFlag(group: string) {
  return {
    name: 'registry-logins',
    value: 'LINES',
    environment: 'KEEL_REGISTRY_LOGINS',
    secret: true,
    secretsIn: passwordsIn,
    inputOnly: true,
    group,
    description:
      'Logins for other registries, including sources: one per line, as HOST USERNAME PASSWORD; docker login and podman login work too',
  } as const satisfies Flag;
}

/** Returns the logins in lines of the form `HOST USERNAME PASSWORD`. Throws `FLAG_MALFORMED`, without any of the text. */
export function parseLogins(text: string, about: string): readonly RegistryLogin[] {
  const logins = new Map<Host, RegistryLogin>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, name = '', username = '', password = ''] = LINE.exec(line.trim()) ?? [];
    const host = hostOf(name);
    const number = index + 1;
    if (host === undefined) throw malformed(about, `line ${number} is not HOST USERNAME PASSWORD`);
    if (logins.has(host)) throw malformed(about, `line ${number} is a second login for ${host}`);
    logins.set(host, { host, username, password });
  }
  return [...logins.values()];
}

function passwordsIn(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [, , username = '', password = ''] = LINE.exec(line.trim()) ?? [];
    return password === '' ? [] : [password, `${username}:${password}`];
  });
}

function hostOf(name: string): Host | undefined {
  try {
    return parseHost(name);
  } catch {
    // Its message would repeat the text, which is the password if the user swapped the words.
    return undefined;
  }
}

function malformed(about: string, message: string): Failure<'FLAG_MALFORMED'> {
  const hint =
    'write one login per line, with spaces in between and the host without https://: registry.example.com robot PASSWORD';
  return new Failure({ code: 'FLAG_MALFORMED', fault: 'usage', about, message, hint });
}
