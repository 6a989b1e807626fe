/** A text in a file that names an image, or may name one. */
export interface ImageMention {
  readonly text: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** Why the text may not be an image, as a clause; undefined if it is certainly meant as one. */
  readonly doubt?: string | undefined;
  /** Whether the text only shows where an image is needed, such as the name of a service that builds its own image. */
  readonly isNameless?: boolean | undefined;
  /** What to do about the doubt, or about a variable or template in the text. */
  readonly hint?: string | undefined;
}
