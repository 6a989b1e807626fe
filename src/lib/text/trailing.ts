/**
 * Returns a text without any number of a character at its end. A regular expression, `/x+$/`, takes quadratic time in
 * the worst case.
 */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text.charAt(end - 1) === character) end -= 1;
  return text.slice(0, end);
}
