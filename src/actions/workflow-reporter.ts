import path from 'node:path';
import { type Duration, milliseconds } from '../lib/duration.ts';
import { describeProgress } from '../lib/progress-line.ts';
import type { Place, Progress, Reporter } from '../lib/reporter.ts';
import { plainText } from '../lib/text/plain-text.ts';
import { type CommandName, formatCommand, plainLines } from './workflow-command.ts';

/** The settings of a reporter for a workflow's log. */
interface LogSettings {
  /** Takes each line, without its end. */
  readonly write: (line: string) => void;
  /** The checked-out repository. GitHub shows annotations at paths relative to it. */
  readonly workspace: string;
  /** The time between two lines of progress. */
  readonly interval: Duration;
  /** The time in milliseconds, from a monotonic clock. */
  readonly clock: () => number;
}

/** Reports to a workflow's log: sections as groups, warnings and errors as annotations, progress at intervals. */
export class WorkflowReporter implements Reporter {
  readonly #settings: LogSettings;
  #grouped = false;
  #activity: { readonly name: string; readonly started: number; shown: number } | undefined;

  constructor(settings: LogSettings) {
    this.#settings = settings;
  }

  section(title: string): void {
    this.close();
    this.#settings.write(formatCommand('group', plainText(title)));
    this.#grouped = true;
  }

  line(text: string): void {
    for (const line of plainLines(plainText(text))) this.#settings.write(line);
  }

  detail(text: string): void {
    this.#settings.write(formatCommand('debug', plainText(text)));
  }

  warning(text: string, place?: Place): void {
    this.#annotate('warning', text, place);
  }

  error(text: string, place?: Place): void {
    this.#annotate('error', text, place);
  }

  progress(progress: Progress): void {
    const now = this.#settings.clock();
    if (this.#activity?.name !== progress.activity) {
      this.#activity = { name: progress.activity, started: now, shown: now };
    }
    const { started, shown } = this.#activity;
    if (now - shown < this.#settings.interval) return;
    this.#activity.shown = now;
    this.line(describeProgress(progress, milliseconds(now - started)));
  }

  close(): void {
    this.#activity = undefined;
    if (this.#grouped) this.#settings.write(formatCommand('endgroup'));
    this.#grouped = false;
  }

  #annotate(name: CommandName, text: string, place: Place | undefined): void {
    const file = place === undefined ? undefined : this.#relative(place.file);
    this.#settings.write(
      formatCommand(name, plainText(text), { file, line: place?.line, col: place?.column }),
    );
  }

  #relative(file: string): string {
    const relative = path.relative(this.#settings.workspace, path.resolve(this.#settings.workspace, file));
    return relative.split(path.sep).join('/');
  }
}
