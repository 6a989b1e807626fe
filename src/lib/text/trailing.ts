/** Returns a text without a character at its end, however often; `/x+$/` takes the square of their number in a bad case. */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text.charAt(end - 1) === character) end -= 1;
  return text.slice(0, end);
}
