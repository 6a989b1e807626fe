import type { TextStream } from '../../src/cli/stream.ts';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
/** What LiveBlock writes: up some lines, to the first column, and nothing below. */
const REWIND = '\x1b\\[(\\d+)A\\r\\x1b\\[J';

/** A stream that keeps what is written and shows what a terminal would; without columns it is a file. */
export class Screen implements TextStream {
  written = '';
  readonly isTTY: boolean;
  readonly columns?: number;

  constructor(options: { columns?: number }) {
    this.isTTY = options.columns !== undefined;
    if (options.columns !== undefined) this.columns = options.columns;
  }

  write(text: string): boolean {
    this.written += text;
    return true;
  }

  get cursorHidden(): boolean {
    return this.written.lastIndexOf(HIDE_CURSOR) > this.written.lastIndexOf(SHOW_CURSOR);
  }

  /** Returns the lines that stand on the screen, where every line written fits into its width. */
  text(): string {
    const lines: string[] = [''];
    const parts = this.written
      .replaceAll(HIDE_CURSOR, '')
      .replaceAll(SHOW_CURSOR, '')
      .split(new RegExp(REWIND));
    for (const [index, part] of parts.entries()) {
      if (index % 2 === 1) {
        lines.splice(lines.length - 1 - Number(part), Number(part) + 1, '');
        continue;
      }
      const [first = '', ...rest] = part.split('\n');
      lines.push(`${lines.pop() ?? ''}${first}`, ...rest);
    }
    return lines.join('\n');
  }
}
