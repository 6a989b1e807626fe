import type { Reporter } from '../../lib/reporter.ts';

/** The progress of images and components together. */
export class FetchProgress {
  readonly #reporter: Reporter;
  readonly #total: number;
  readonly #bytesTotal: number | undefined;
  readonly #bytes = new Map<string, number>();
  readonly #ended = new Set<string>();

  /** `bytesTotal` is how many bytes will be fetched; undefined if that is unknown. */
  constructor(reporter: Reporter, total: number, bytesTotal: number | undefined) {
    this.#reporter = reporter;
    this.#total = total;
    this.#bytesTotal = bytesTotal;
  }

  /** Returns how many bytes of one image or component were fetched so far. */
  bytesOf(name: string): number {
    return this.#bytes.get(name) ?? 0;
  }

  moved(name: string, count: number): void {
    this.reached(name, this.bytesOf(name) + count);
  }

  reached(name: string, bytes: number): void {
    this.#bytes.set(name, bytes);
    this.#show();
  }

  ended(name: string): void {
    this.#ended.add(name);
    this.#show();
  }

  #show(): void {
    this.#reporter.progress({
      activity: 'fetching',
      done: this.#ended.size,
      total: this.#total,
      unit: 'images and components',
      bytes: [...this.#bytes.values()].reduce((sum, count) => sum + count, 0),
      bytesTotal: this.#bytesTotal,
      current: [...this.#bytes.keys()].filter((name) => !this.#ended.has(name)),
    });
  }
}
