import { type SecretListener, secretForms } from '../lib/secret-forms.ts';

/** Each line of a secret with several lines is a secret by itself, unless it is as short as a bracket. */
const SHORTEST_LINE = 4;

/**
 * Makes the runner hide secrets, and remembers those that the runner already knows, because each request sends the same
 * login and token. User names are not hidden. GitHub drops outputs that contain a hidden word, and user names are often
 * part of image names.
 */
export class LogMask {
  readonly #mask: (text: string) => void;
  readonly #told = new Set<string>();
  readonly #passwords = new Set<string>();

  constructor(mask: (text: string) => void) {
    this.#mask = mask;
  }

  /** Hides a password, in every form in which services print it. */
  readonly hidePassword = (password: string): void => {
    if (this.#passwords.has(password)) return;
    this.#passwords.add(password);
    this.#hide(password);
    // The runner hides line by line, so each line of a secret needs a mask of its own.
    const lines = password.split(/\r?\n/).filter((line) => line.trim().length >= SHORTEST_LINE);
    for (const form of [...secretForms(password), ...lines]) this.#hide(form);
  };

  /** Hides what a login sends: a password as above, and a token in one form only. There may be thousands of tokens. */
  readonly hide: SecretListener = (secret, kind) => {
    if (kind === 'password') this.hidePassword(secret);
    else this.#hide(secret);
  };

  /** Returns whether the runner still needs a command to hide a text, and assumes from now on that it got one. */
  learns(text: string): boolean {
    if (text.trim() === '' || this.#told.has(text)) return false;
    this.#told.add(text);
    return true;
  }

  #hide(text: string): void {
    if (this.learns(text)) this.#mask(text);
  }
}
