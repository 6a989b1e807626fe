import { secretForms } from '../lib/secret-forms.ts';

/** Shorter ones would redact half of a text, and are no secrets. */
const SHORTEST = 4;
/** Longer ones are tokens: whoever repeats one does not encode it, and there may be thousands. */
const LONGEST_ENCODED = 200;

/** Takes the secrets of one host out of what it says: some registries repeat in an error what they were sent. */
export class Redactor {
  readonly #forms = new Set<string>();

  /** Takes in a secret, in each form in which it travels. */
  add(secret: string): void {
    if (secret.length < SHORTEST) return;
    this.#forms.add(secret);
    if (secret.length > LONGEST_ENCODED) return;
    for (const form of secretForms(secret)) this.#forms.add(form);
  }

  /** Returns a text with every secret replaced by `***`. */
  redact(text: string): string {
    const longestFirst = [...this.#forms].toSorted((one, other) => other.length - one.length);
    return longestFirst.reduce((clean, form) => clean.replaceAll(form, '***'), text);
  }
}
