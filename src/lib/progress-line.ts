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
  const { activity, done, total, unit, failed = 0, bytes, bytesTotal = 0, isAtLeast = false } = progress;
  const parts = [`${activity} ${done} of ${total} ${unit}`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (bytes + bytesTotal > 0) {
    const whole = bytesTotal === 0 ? '' : ` of ${isAtLeast ? 'at least ' : ''}${formatSize(bytesTotal)}`;
    parts.push(`${formatSize(bytes)}${whole}`);
    if (bytes > 0 && elapsed >= RATE_AFTER) parts.push(`${formatSize((bytes / elapsed) * 1000)}/s`);
  }
  const left = timeLeft(progress, elapsed);
  if (left !== undefined) parts.push(`about ${formatDuration(left)} left`);
  const current = currentWords(progress, ' (', ')');
  const more = current.length > NAMED ? ` and ${current.length - NAMED} more` : '';
  const now = current.length === 0 ? '' : `; now ${current.slice(0, NAMED).join(', ')}${more}`;
  return `${parts.join(', ')}${now}`;
}

/** Returns what is in progress, each with its note: `etcd:3.6.5  12 MiB of 60 MiB, 277 KiB/s`. */
export function currentWords(
  { current, notes = [] }: Pick<Progress, 'current' | 'notes'>,
  before = '  ',
  after = '',
): string[] {
  return current.map((name, index) => {
    const note = notes[index];
    return note === undefined ? name : `${name}${before}${note}${after}`;
  });
}

/** Returns the estimated time left; undefined if it is too early to say. */
function timeLeft(progress: Progress, elapsed: Duration): Duration | undefined {
  const { done, total, bytes, bytesTotal = 0, isAtLeast = false } = progress;
  const fraction = bytesTotal === 0 || isAtLeast ? done / total : bytes / bytesTotal;
  if (elapsed < RATE_AFTER || !(fraction > 0) || fraction >= 1) return undefined;
  return milliseconds((elapsed * (1 - fraction)) / fraction);
}
