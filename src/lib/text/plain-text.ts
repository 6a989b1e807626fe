// Control characters other than tab and line feed, other ends of lines, and characters that turn the direction of a text.
const UNSEEN = /(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Returns a text that is safe to show on a terminal or in a log. Text from a registry or a file must not move the
 * cursor, change colours or hide other text. Carriage returns before line feeds are removed.
 */
export function plainText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSEEN, '\ufffd');
}
