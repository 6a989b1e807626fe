/** A signature is not accepted. The message is the reason, as the end of a sentence. */
export class Untrusted extends Error {
  override readonly name = 'Untrusted';
}
