import { stripVTControlCharacters, styleText } from 'node:util';
import type { TextStream } from './stream.ts';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_TO_END = '\x1b[J';
const MOST_ITEMS = 8;

/** A few lines at the bottom of a terminal that are redrawn in place. */
export class LiveBlock {
  readonly #stream: TextStream;
  readonly #colour: boolean;
  #lines: readonly string[] = [];
  #height = 0;
  #cursorHidden = false;

  constructor(stream: TextStream, colour: boolean) {
    this.#stream = stream;
    this.#colour = colour;
  }

  /** Draws a headline and the current items, in place of the last drawing. */
  draw(headline: string, items: readonly string[]): void {
    const more = items.length - MOST_ITEMS;
    const shown = more > 0 ? [...items.slice(0, MOST_ITEMS - 1), `and ${more + 1} more`] : items;
    this.#lines = [this.#fit(headline), ...shown.map((item) => this.#dim(this.#fit(`  ${item}`)))];
    this.#paint();
  }

  /** Removes the block, calls `write`, and draws the block again below the lines that it wrote. */
  makeRoom(write: () => void): void {
    this.#erase();
    write();
    if (this.#lines.length > 0) this.#paint();
  }

  /** Removes the block and shows the cursor again. */
  close(): void {
    this.#erase();
    this.#lines = [];
    if (this.#cursorHidden) this.#stream.write(SHOW_CURSOR);
    this.#cursorHidden = false;
  }

  #paint(): void {
    const cursor = this.#cursorHidden ? '' : HIDE_CURSOR;
    this.#stream.write(`${cursor}${this.#rewind()}${this.#lines.join('\n')}\n`);
    this.#cursorHidden = true;
    this.#height = this.#lines.length;
  }

  #erase(): void {
    if (this.#height > 0) this.#stream.write(this.#rewind());
    this.#height = 0;
  }

  #rewind(): string {
    return this.#height === 0 ? '' : `\x1b[${this.#height}A\r${CLEAR_TO_END}`;
  }

  /** A line that the terminal wraps would make the block higher than `#height`, and its top would stay. */
  #fit(line: string): string {
    const room = (this.#stream.columns ?? 80) - 1;
    const plain = stripVTControlCharacters(line).replaceAll('\n', ' ');
    return plain.length <= room ? plain : `${plain.slice(0, Math.max(room - 1, 0))}…`;
  }

  #dim(line: string): string {
    return this.#colour ? styleText('dim', line, { validateStream: false }) : line;
  }
}
