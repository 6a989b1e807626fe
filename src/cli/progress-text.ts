import { formatDuration, milliseconds } from '../lib/duration.ts';
import type { Progress } from '../lib/reporter.ts';
import { formatSize } from '../lib/size.ts';

/** The rate is that of the last half minute: long enough to be calm, short enough to be true. */
const WINDOW_MILLISECONDS = 30_000;

/** Watches how a run comes along, to tell its rate and the time that is left. */
export class Speed {
  #samples: { at: number; progress: Progress }[] = [];

  /** Takes note of the progress at a time in milliseconds. */
  note(progress: Progress, at: number): void {
    const last = this.#samples.at(-1)?.progress;
    if (last !== undefined && (last.activity !== progress.activity || progress.bytes < last.bytes)) {
      this.#samples = [];
    }
    this.#samples.push({ at, progress });
    while ((this.#samples[1]?.at ?? at) < at - WINDOW_MILLISECONDS) this.#samples.shift();
  }

  /** Gives bytes a second and the milliseconds left; either is undefined while there is nothing to tell it by. */
  measure(): { rate: number | undefined; left: number | undefined } {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at - first.at < 1000) {
      return { rate: undefined, left: undefined };
    }
    const elapsed = last.at - first.at;
    const { bytesTotal, bytes, done, total } = last.progress;
    const moved = bytes - first.progress.bytes;
    const finished = done - first.progress.done;
    const byBytes =
      bytesTotal !== undefined && moved > 0 ? ((bytesTotal - bytes) / moved) * elapsed : undefined;
    const byCount = finished > 0 ? ((total - done) / finished) * elapsed : undefined;
    return { rate: moved > 0 ? (moved * 1000) / elapsed : undefined, left: byBytes ?? byCount };
  }
}

/** Gives `mirroring 12 of 40 images, 1.2 GiB of 3 GiB, 24 MiB/s, 1 m 20 s left`, the last two where known. */
export function describeProgress(progress: Progress, speed: ReturnType<Speed['measure']>): string {
  const { activity, done, total, unit, bytes, bytesTotal } = progress;
  const size =
    bytesTotal === undefined ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(bytesTotal)}`;
  return [
    `${activity} ${done} of ${total} ${unit}`,
    ...(bytes > 0 || bytesTotal !== undefined ? [size] : []),
    ...(speed.rate === undefined ? [] : [`${formatSize(speed.rate)}/s`]),
    ...(speed.left === undefined ? [] : [`${formatLeft(speed.left)} left`]),
  ].join(', ');
}

/** Rounds up: a guess told to the last second would change its mind at each look. */
function formatLeft(left: number): string {
  if (left < 59_500) return `${Math.ceil(left / 1000)} s`;
  return formatDuration(milliseconds(Math.ceil(left / 10_000) * 10_000));
}
