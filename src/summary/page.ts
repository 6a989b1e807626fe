/** A part of a page: a head, rows of which the last may be left out, and a foot. */
export interface Section {
  /** Markdown before the rows. */
  readonly head: string;
  readonly rows: readonly string[];
  readonly foot?: string | undefined;
  /** Returns the row that replaces rows which were left out, such as `and 12 more in the report`, as Markdown. */
  readonly more: (left: number) => string;
}

/** GitHub drops summaries above 1 MiB, and near that size without an error (actions/runner#4337). */
export const PAGE_LIMIT = 900 * 1024;

/**
 * Returns a page of at most `limit` bytes. Heads and feet always stay. Rows are taken in the order of the sections, so
 * that the first sections are cut last.
 */
export function formatPage(sections: readonly Section[], limit = PAGE_LIMIT): string {
  const frames = sections.map(({ head, rows, foot, more }) =>
    bytesOf([head, more(rows.length), foot ?? '', '']),
  );
  let room = limit - frames.reduce((sum, frame) => sum + frame, 0);
  const parts = sections.map(({ head, rows, foot, more }) => {
    const taken: string[] = [];
    for (const row of rows) {
      const size = bytesOf([row]);
      if (size > room) break;
      room -= size;
      taken.push(row);
    }
    const left = rows.length - taken.length;
    const note = left === 0 ? [] : [more(left)];
    return [head, ...taken, ...note, ...(foot === undefined ? [] : [foot])].join('\n');
  });
  return `${parts.join('\n\n')}\n`;
}

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
}
