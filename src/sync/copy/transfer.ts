import { formatDuration, milliseconds } from '../../lib/duration.ts';
import { formatSize } from '../../lib/text/size.ts';

/** How long no byte moves until the progress says so. */
const STILL_AFTER = 5000;
/** Before this time a rate is not yet meaningful. */
const RATE_AFTER = 2000;

/** Measures the transfers of one image to the destination. Times are in milliseconds of one clock. */
export class Transfer {
  readonly #now: () => number;
  readonly #began: number;
  #expected = 0;
  #moved = 0;
  #lastMoved: number | undefined;
  /** The number of manifests of the image that were not read yet. The first is its own. */
  #unread = 1;

  constructor(now: () => number) {
    this.#now = now;
    this.#began = now();
  }

  /** Whether all manifests of the image were read, so that the size of all that it needs is known. */
  get isRead(): boolean {
    return this.#unread <= 0;
  }

  /** Notes that a manifest was read, or need not be, and how many it lists. */
  read(listed = 0): void {
    this.#unread += listed - 1;
  }

  /** Notes that a layer or configuration of so many bytes is needed. */
  expect(bytes: number): void {
    this.#expected += bytes;
  }

  /** Notes that so many bytes moved. */
  move(bytes: number): void {
    this.#moved += bytes;
    this.#lastMoved = this.#now();
  }

  /** Notes that a layer is complete, and how many of its bytes moved: none if it was there already. */
  settle(bytes: number, moved: number): void {
    this.#expected += moved - bytes;
  }

  /** Returns how far it is: `12 MiB of 60 MiB, 277 KiB/s`, or `… no bytes for 45 s`. Undefined if nothing moved. */
  describe(): string | undefined {
    const now = this.#now();
    const spent = now - this.#began;
    const still = now - (this.#lastMoved ?? this.#began);
    const whole = Math.max(this.#expected, this.#moved);
    if (whole === 0) return still < STILL_AFTER ? undefined : `no bytes for ${seconds(still)}`;
    const size = `${formatSize(this.#moved)} of ${formatSize(whole)}`;
    if (this.#moved < whole && still >= STILL_AFTER) return `${size}, no bytes for ${seconds(still)}`;
    return spent < RATE_AFTER ? size : `${size}, ${formatSize((this.#moved / spent) * 1000)}/s`;
  }
}

function seconds(time: number): string {
  return formatDuration(milliseconds(Math.round(time / 1000) * 1000)).replace('.0 s', ' s');
}
