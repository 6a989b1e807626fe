/**
 * Returns a secret in each form in which it travels or is repeated: as it is, in a URL, in a query, and in both alphabets
 * of base64, which with padding begins as it does without.
 */
export function secretForms(secret: string): ReadonlySet<string> {
  const bytes = Buffer.from(secret);
  const padded = bytes.toString('base64');
  const base64 = [padded, padded.replace(/={1,2}$/, ''), bytes.toString('base64url')];
  const queries = [secret, padded].flatMap((text) => [
    encodeURIComponent(text),
    new URLSearchParams({ '': text }).toString().slice(1),
  ]);
  return new Set([secret, ...base64, ...queries]);
}
