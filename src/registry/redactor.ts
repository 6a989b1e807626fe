import { type SecretListener, secretForms } from '../lib/secret-forms.ts';

/** Shorter texts are not secrets, and would redact half of a message. */
const SHORTEST = 4;

/** Removes the secrets for one host from its messages. Some registries repeat in an error what was sent to them. */
export class Redactor {
  readonly #known = new Set<string>();
  readonly #forms = new Set<string>();
  #longestFirst: readonly string[] | undefined;

  /**
   * Adds a secret: a password in every form in which services print it, and a token, of which there may be thousands,
   * in one form.
   */
  readonly add: SecretListener = (secret, kind) => {
    const known = `${kind} ${secret}`;
    if (secret.length < SHORTEST || this.#known.has(known)) return;
    this.#known.add(known);
    this.#longestFirst = undefined;
    for (const form of kind === 'password' ? secretForms(secret) : [secret]) this.#forms.add(form);
  };

  /** Returns a text with every secret replaced by `***`. */
  redact(text: string): string {
    this.#longestFirst ??= [...this.#forms].toSorted((one, other) => other.length - one.length);
    return this.#longestFirst.reduce((clean, form) => clean.replaceAll(form, '***'), text);
  }
}
