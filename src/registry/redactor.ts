import { secretForms } from '../lib/secret-forms.ts';

/** Shorter texts are not secrets, and would redact half of a message. */
const SHORTEST = 4;
/** Longer secrets are tokens, of which there can be thousands. Servers that repeat one do not encode it. */
const LONGEST_ENCODED = 200;

/** Removes the secrets for one host from its messages. Some registries repeat in an error what was sent to them. */
export class Redactor {
  readonly #known = new Set<string>();
  readonly #forms = new Set<string>();
  #longestFirst: readonly string[] | undefined;

  /** Adds a secret, in every form in which services print it. */
  add(secret: string): void {
    if (secret.length < SHORTEST || this.#known.has(secret)) return;
    this.#known.add(secret);
    this.#longestFirst = undefined;
    this.#forms.add(secret);
    if (secret.length > LONGEST_ENCODED) return;
    for (const form of secretForms(secret)) this.#forms.add(form);
  }

  /** Returns a text with every secret replaced by `***`. */
  redact(text: string): string {
    this.#longestFirst ??= [...this.#forms].toSorted((one, other) => other.length - one.length);
    return this.#longestFirst.reduce((clean, form) => clean.replaceAll(form, '***'), text);
  }
}
