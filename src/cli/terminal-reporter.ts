import { styleText } from 'node:util';
import { formatPlace } from '../config/problem.ts';
import { milliseconds } from '../lib/duration.ts';
import { currentWords, describeProgress } from '../lib/progress-line.ts';
import type { Place, Progress, Reporter } from '../lib/reporter.ts';
import { plainText } from '../lib/text/plain-text.ts';
import { LiveBlock } from './live-block.ts';
import { type TextStream, wantsColour } from './stream.ts';

/** Where and how a terminal reporter writes. */
interface TerminalReporterOptions {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is for JSON only, and everything else goes to standard error. */
  readonly json?: boolean | undefined;
  /** Returns the time in milliseconds. */
  readonly now?: (() => number) | undefined;
}

const REDRAW_MILLISECONDS = 100;
const PLAIN_LINE_MILLISECONDS = 10_000;

type Style = Parameters<typeof styleText>[0];

/** Shows a run at a terminal, with a live block below the lines, or in a log file as plain lines. */
export class TerminalReporter implements Reporter {
  readonly #lines: TextStream;
  readonly #troubles: TextStream;
  readonly #block: LiveBlock | undefined;
  readonly #environment: TerminalReporterOptions['environment'];
  readonly #now: () => number;
  /** The current activity, when it began, and when it was last shown. */
  #activity: { readonly name: string; readonly since: number; shown: number } | undefined;
  #saidAnything = false;

  constructor(options: TerminalReporterOptions) {
    this.#lines = options.json === true ? options.stderr : options.stdout;
    this.#troubles = options.stderr;
    this.#environment = options.environment;
    this.#now = options.now ?? (() => performance.now());
    const live = [this.#lines, this.#troubles].find((stream) => stream.isTTY === true);
    const { TERM: terminal } = options.environment;
    const canRedraw = live !== undefined && terminal !== 'dumb';
    this.#block = canRedraw ? new LiveBlock(live, wantsColour(live, options.environment)) : undefined;
  }

  section(title: string): void {
    this.close();
    const gap = this.#saidAnything ? '\n' : '';
    this.#say(`${gap}${this.#style('bold', plainText(title), this.#lines)}`);
  }

  line(text: string): void {
    this.#say(plainText(text));
  }

  detail(text: string): void {
    const { KEEL_DEBUG: debug = '' } = this.#environment;
    if (debug === '') return;
    this.#write(this.#troubles, this.#style('dim', plainText(text), this.#troubles));
  }

  warning(text: string, place?: Place): void {
    this.#trouble('yellow', 'warning', text, place);
  }

  error(text: string, place?: Place): void {
    this.#trouble('red', 'error', text, place);
  }

  progress(progress: Progress): void {
    const now = this.#now();
    const pause = this.#block === undefined ? PLAIN_LINE_MILLISECONDS : REDRAW_MILLISECONDS;
    if (this.#activity?.name !== progress.activity) {
      // A block appears at once. A log file gets its first line of progress after a while.
      const shown = this.#block === undefined ? now : now - pause;
      this.#activity = { name: progress.activity, since: now, shown };
    }
    if (now - this.#activity.shown < pause) return;
    this.#activity.shown = now;
    const elapsed = milliseconds(now - this.#activity.since);
    if (this.#block === undefined) this.#write(this.#lines, describeProgress(progress, elapsed));
    else this.#block.draw(describeProgress({ ...progress, current: [] }, elapsed), currentWords(progress));
  }

  close(): void {
    this.#block?.close();
    this.#activity = undefined;
  }

  #say(line: string): void {
    this.#saidAnything = true;
    this.#write(this.#lines, line);
  }

  #trouble(colour: Style, kind: string, text: string, place: Place | undefined): void {
    const where = place === undefined ? '' : `${formatPlace(place)}: `;
    const told = plainText(`${where}${text}`);
    this.#write(this.#troubles, `${this.#style(colour, `${kind}:`, this.#troubles)} ${told}`);
  }

  #write(stream: TextStream, line: string): void {
    const write = () => void stream.write(`${line}\n`);
    if (this.#block === undefined) write();
    else this.#block.makeRoom(write);
  }

  #style(style: Style, text: string, stream: TextStream): string {
    return wantsColour(stream, this.#environment) ? styleText(style, text, { validateStream: false }) : text;
  }
}
