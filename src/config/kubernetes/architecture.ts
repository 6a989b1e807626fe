import { Failure } from '../../lib/failure.ts';
import { suggestion } from '../../lib/text/nearest.ts';
import { joinWords } from '../../lib/text/sentence.ts';

/** The architectures for which Kubernetes publishes server binaries, by their Go names. */
export const ARCHITECTURES = ['amd64', 'arm64', 'ppc64le', 's390x'] as const;

export type Architecture = (typeof ARCHITECTURES)[number];

const ALIASES: ReadonlyMap<string, Architecture> = new Map([
  ['x86_64', 'amd64'],
  ['x64', 'amd64'],
  ['aarch64', 'arm64'],
]);

/** All words for architectures in file names and image names, with the Go name of each. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ...ARCHITECTURES.map((name): [string, string] => [name, name]),
  ...ALIASES,
  ...['386', 'arm', 'mips64le', 'riscv64', 'loong64'].map((name): [string, string] => [name, name]),
]);

/** Returns an architecture by its Go name or as `uname -m` writes it. Throws `ARCHITECTURE_UNKNOWN`. */
export function parseArchitecture(text: string, about: string): Architecture {
  const word = text.trim().toLowerCase();
  const known = ARCHITECTURES.find((name) => name === word) ?? ALIASES.get(word);
  if (known !== undefined) return known;
  throw new Failure({
    code: 'ARCHITECTURE_UNKNOWN',
    about,
    message: `"${text.slice(0, 100)}" is not an architecture of Kubernetes${suggestion(word, ARCHITECTURES)}`,
    hint: `write ${joinWords(ARCHITECTURES, 'or')}`,
  });
}

/** Returns the Go names of the architectures that are words of a text, such as a URL or an image name. */
export function architecturesIn(text: string): string[] {
  const words = text.toLowerCase().split(/[^a-z0-9_]+/);
  return [...new Set(words.flatMap((word) => WORDS.get(word) ?? []))];
}
