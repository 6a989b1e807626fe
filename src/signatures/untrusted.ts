/** A signature does not count. The message says why, as the end of a sentence. */
export class Untrusted extends Error {
  override readonly name = 'Untrusted';
}
