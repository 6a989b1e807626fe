import { plainText } from '../lib/text/plain-text.ts';
import type { SignedNames } from './signed-name.ts';

/** A signature as a registry has it, in the one form that is verified. It proves nothing yet. */
export interface Candidate {
  readonly kind: 'candidate';
  /** How it is stored: under cosign's tag, or as a bundle that refers to the image. */
  readonly form: 'cosign' | 'bundle';
  /** A Sigstore bundle as JSON. */
  readonly bundle: unknown;
  /** What was signed, if the bundle does not contain it. */
  readonly artifact: Buffer | undefined;
  /** The names of the image in the signature. */
  readonly names: SignedNames;
}

/** Content in the place of a signature that is no signature of this image, with the reason. */
export interface Unfit {
  readonly kind: 'unfit';
  /** As the end of a sentence. */
  readonly reason: string;
}

/** Returns content that is no signature of an image, with the reason. */
export function unfit(reason: string): Unfit {
  return { kind: 'unfit', reason };
}

/** Returns a text of a registry or a signer as part of one line, so that it cannot add lines of its own to a log. */
export function shown(text: string, most = 200): string {
  const line = plainText(text).replaceAll(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
