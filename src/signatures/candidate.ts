import { plainText } from '../lib/text/plain-text.ts';
import type { SignedNames } from './signed-name.ts';

/** A signature as a registry has it, in the one form that is verified. It proves nothing yet. */
export interface Candidate {
  readonly kind: 'candidate';
  /** How it is stored: under cosign's tag, or as a bundle that refers to the image. */
  readonly form: 'cosign' | 'bundle';
  /** A Sigstore bundle as JSON. */
  readonly bundle: unknown;
  /** What was signed, where the bundle does not hold it itself. */
  readonly artifact: Buffer | undefined;
  /** What the signature says it is of. */
  readonly names: SignedNames;
}

/** Something that stands where a signature should, and why it is none of this image. */
export interface Unfit {
  readonly kind: 'unfit';
  /** As the end of a sentence. */
  readonly reason: string;
}

/** Returns what is no signature of an image. */
export function unfit(reason: string): Unfit {
  return { kind: 'unfit', reason };
}

/** Returns a text of a registry or a signer as part of one line, so that it cannot add lines of its own to a log. */
export function shown(text: string, most = 200): string {
  const line = plainText(text).replaceAll(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
