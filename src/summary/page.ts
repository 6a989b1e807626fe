/** A part of a page: rows that may be left out from the end, between what must stay. */
export interface Section {
  /** Markdown before the rows. */
  readonly head: string;
  readonly rows: readonly string[];
  readonly foot?: string | undefined;
  /** Tells that rows were left out, such as `and 12 more in the report`; the row is Markdown as the others are. */
  readonly more: (left: number) => string;
}

/** GitHub drops a summary of more than 1 MiB, near that without a word (actions/runner#4337). */
export const PAGE_LIMIT = 900 * 1024;

/**
 * Joins sections to a page of at most `limit` bytes. Heads and feet always stay; rows are taken in the order of the
 * sections, so that what matters most is cut last.
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
