/** Characters with a meaning in Markdown, tables or HTML. */
const MARKUP = /[&<>"'`*_~[\]\\|#!@$]|^\s*(?:[-+=]|\d+(?=[.)](?:\s|$)))/;
/** Where a link in GitHub's Markdown would begin: a mail or web address, with or without a scheme. */
const ADDRESS = /:(?=\/\/)|www(?=\.)/i;
/** What else GitHub turns into a link or picture, outside of code: issues, commits, emoji. */
const REFERENCE =
  /(?<![a-z\d])(?:gh(?=-\d)|[0-9a-f]{7,40}(?![a-z\d]))|:(?=(?:[+-]1|100|1234|(?=[\d_+-]*[a-z])[\w+-]{1,40}):)/i;

const IN_CODE = new RegExp(`${MARKUP.source}|${ADDRESS.source}`, 'gi');
const IN_TEXT = new RegExp(`${IN_CODE.source}|${REFERENCE.source}`, 'gi');

/**
 * An empty comment ends a word where GitHub searches for links, and is not shown. A character reference alone is not
 * enough: GitHub resolves references before it searches for mail addresses, mentions and issues.
 */
const BREAK = '<!-- -->';

/**
 * Returns Markdown that GitHub shows as exactly this text, on one line, also in tables and HTML. Nothing in it becomes
 * markup, a link or a mention.
 * https://github.github.com/gfm/#autolinks-extension-
 */
export function escapeMarkdown(text: string): string {
  return escaped(text, IN_TEXT);
}

/** Returns Markdown that shows a name as code: an image reference, a file, an input. */
export function code(text: string): string {
  return `<code>${escaped(text, IN_CODE)}</code>`;
}

function escaped(text: string, pattern: RegExp): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}|\p{Cf}/gu, '')
    .replace(pattern, harmless);
}

function harmless(found: string): string {
  if (/^(?:www|gh)$/i.test(found)) return `${found}${BREAK}`;
  // A text that looks like a commit stays in one piece: it may be a secret, and a runner masks only whole secrets.
  if (/^[0-9a-f]{7,}$/i.test(found)) return `<code>${found}</code>`;
  const last = found.length - 1;
  const reference = `${found.slice(0, last)}&#${found.codePointAt(last)};`;
  return /[@#:]$/.test(found) ? `${reference}${BREAK}` : reference;
}

/** Returns a row of a table. The cells are Markdown. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Returns the first two lines of a table. Columns whose title starts with `>` are aligned to the right. */
export function tableHead(titles: readonly string[]): string {
  const names = titles.map((title) => title.replace(/^>/, ''));
  const lines = titles.map((title) => (title.startsWith('>') ? '--:' : '---'));
  return `${tableRow(names)}\n${tableRow(lines)}`;
}
