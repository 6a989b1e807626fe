/**
 * Returns a secret in every encoding in which it can appear: unchanged, in a URL, in a query, and in both alphabets of
 * base64, with and without padding.
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
