const SPECIAL = /[&<>"'`*_~[\]\\|#!@]|:(?=\/\/)|^\s*(?:[-+=]|\d+(?=[.)]\s))/g;

/**
 * Writes a text so that GitHub's Markdown shows it as it is, on one line, also within tables and HTML: nothing in it
 * becomes markup, a link or a mention.
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

/** Writes a name as code: image references, files, inputs. */
export function code(text: string): string {
  return `<code>${escapeMarkdown(text)}</code>`;
}

/** Returns a row of a table; the cells are Markdown already. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Returns the two lines that begin a table. Columns whose title starts with `>` are numbers, and stand to the right. */
export function tableHead(titles: readonly string[]): string {
  const names = titles.map((title) => title.replace(/^>/, ''));
  const lines = titles.map((title) => (title.startsWith('>') ? '--:' : '---'));
  return `${tableRow(names)}\n${tableRow(lines)}`;
}
