import type { Progress, Reporter } from '../../src/lib/reporter.ts';

/** A reporter that keeps what it is told. */
export class Listener implements Reporter {
  readonly lines: string[] = [];
  readonly details: string[] = [];
  readonly warnings: string[] = [];
  readonly errors: string[] = [];
  readonly shown: Progress[] = [];
  section(): void {}
  line(text: string): void {
    this.lines.push(text);
  }
  detail(text: string): void {
    this.details.push(text);
  }
  warning(text: string): void {
    this.warnings.push(text);
  }
  error(text: string): void {
    this.errors.push(text);
  }
  progress(progress: Progress): void {
    this.shown.push(progress);
  }
  close(): void {}
}
