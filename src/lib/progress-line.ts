import { type Duration, formatDuration, milliseconds } from './duration.ts';
import type { Progress } from './reporter.ts';
import { formatSize } from './text/size.ts';

const NAMED = 3;
/** Before this time a rate is not yet meaningful. */
const RATE_AFTER = milliseconds(2000);

/**
 * Returns the progress of a run as one line, `elapsed` after its activity began:
 * `mirroring 12 of 40 images, 1.2 GiB, 31 MiB/s, about 2 m 10 s left; now etcd:3.6.5, pause:3.10 and 2 more`.
 */
export function describeProgress(progress: Progress, elapsed: Duration): string {
  const { activity, done, total, unit, bytes, current } = progress;
  const parts = [`${activity} ${done} of ${total} ${unit}`];
  if (bytes > 0) {
    const whole = progress.bytesTotal === undefined ? '' : ` of ${formatSize(progress.bytesTotal)}`;
    parts.push(`${formatSize(bytes)}${whole}`);
    if (elapsed >= RATE_AFTER) parts.push(`${formatSize((bytes / elapsed) * 1000)}/s`);
  }
  const left = timeLeft(progress, elapsed);
  if (left !== undefined) parts.push(`about ${formatDuration(left)} left`);
  const more = current.length > NAMED ? ` and ${current.length - NAMED} more` : '';
  const now = current.length === 0 ? '' : `; now ${current.slice(0, NAMED).join(', ')}${more}`;
  return `${parts.join(', ')}${now}`;
}

/** Returns the estimated time left; undefined if it is too early to say. */
function timeLeft(progress: Progress, elapsed: Duration): Duration | undefined {
  const { done, total, bytes, bytesTotal } = progress;
  const fraction = bytesTotal === undefined || bytesTotal === 0 ? done / total : bytes / bytesTotal;
  if (elapsed < RATE_AFTER || !(fraction > 0) || fraction >= 1) return undefined;
  return milliseconds((elapsed * (1 - fraction)) / fraction);
}
