// Control characters but tab and line feed, and those that turn the direction of a text.
const UNSEEN = /(?![\n\t])\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Returns a text as a terminal or log should show it: what a registry or a file says may not move the cursor, change
 * colours, or hide what stands before it. A carriage return before a line feed is left out.
 */
export function plainText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSEEN, '\ufffd');
}
