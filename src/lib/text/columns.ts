/** Returns rows as lines with aligned columns. The columns in `right`, counted from 0, are aligned to the right. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number> = new Set(),
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.has(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/**
 * Returns a line wrapped at spaces to `width` characters, which is unlimited if undefined. The lines after the first are
 * indented.
 */
export function wrapLine(line: string, width: number | undefined, indent: number): string {
  const lines: string[] = [];
  let rest = line;
  while (width !== undefined && rest.length > width) {
    const near = rest.lastIndexOf(' ', width);
    const at = near > indent ? near : rest.indexOf(' ', Math.max(width, indent));
    if (at < 0) break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = `${' '.repeat(indent)}${rest.slice(at + 1).trimStart()}`;
  }
  return [...lines, rest].join('\n');
}
