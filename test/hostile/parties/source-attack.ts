import type { Promised } from './promise.ts';
import type { ME, Stage } from './stage.ts';

/** What is told of a tag that moved. */
interface Told {
  readonly moved?: 'moved' | 'went-back';
  readonly isOlder?: boolean;
}

/** What becomes of an image, and whether what is at the destination is what its maker released. */
export type Ending = Told &
  (
    | {
        readonly copied: 'genuine' | 'offered' | 'nothing';
        readonly signature?: 'verified' | 'unverified';
        readonly layersLeftOut?: number;
      }
    /** By its code, and what the tag is at the destination if it is there. */
    | { readonly failed: string; readonly arrived?: 'genuine' | 'offered' }
    /** Not among what is wanted, as the source does not list it. */
    | { readonly hidden: true }
  );

/** What becomes of it with each value of `--verify-signatures`. */
export interface Endings {
  readonly off: Ending;
  readonly warn: Ending;
  readonly require: Ending;
}

export interface SourceAttack extends Promised {
  /** What a hostile source does. */
  readonly tries: string;
  /** Below which path the image is, with / at its end. */
  readonly path?: string;
  readonly tag?: string;
  /** What the genuine image is made of, if others have the same layers. */
  readonly seed?: string | undefined;
  /** Who signs the genuine image. */
  readonly signer?: typeof ME;
  readonly bend: (stage: Stage) => void | Promise<void>;
  readonly ends: Endings;
}

/** The content gives it away, whoever signed what. */
export function always(code: string): Endings {
  return { off: { failed: code }, warn: { failed: code }, require: { failed: code } };
}

/** Nothing but a signature can tell. */
export function unlessRequired(code: string): Endings {
  return {
    off: { copied: 'offered' },
    warn: { copied: 'offered', signature: 'unverified' },
    require: { failed: code },
  };
}

/** What the source tries does not matter. */
export const IN_VAIN: Endings = {
  off: { copied: 'genuine' },
  warn: { copied: 'genuine', signature: 'verified' },
  require: { copied: 'genuine', signature: 'verified' },
};
