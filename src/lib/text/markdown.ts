const SPECIAL = /[&<>"'`*_~[\]\\|#!@]|:(?=\/\/)|^\s*(?:[-+=]|\d+(?=[.)]\s))/g;

/**
 * Returns Markdown that GitHub shows as exactly this text, on one line, also in tables and HTML. Nothing in it becomes
 * markup, a link or a mention.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}|\p{Cf}/gu, '')
    .replace(SPECIAL, (found) => {
      const last = found.length - 1;
      return `${found.slice(0, last)}&#${found.codePointAt(last)};`;
    });
}

/** Returns Markdown that shows a name as code: an image reference, a file, an input. */
export function code(text: string): string {
  return `<code>${escapeMarkdown(text)}</code>`;
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
