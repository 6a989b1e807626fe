import { Failure } from './failure.ts';

/** A span of time in milliseconds. It has a type of its own so that it is never mistaken for another number. */
export type Duration = number & { readonly unit: 'milliseconds' };

const MILLISECONDS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** The longest delay of a Node timer, nearly 25 days. A timer with a longer one fires at once. */
export const LONGEST_DURATION = milliseconds(2 ** 31 - 1);

const TERM = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/y;

/** Returns a number of milliseconds as a duration. */
export function milliseconds(count: number): Duration {
  return count as Duration;
}

/** Returns a number of seconds as a duration. */
export function seconds(count: number): Duration {
  return milliseconds(count * 1000);
}

/**
 * Reads a duration in Go's syntax (`2h`, `15m0s`, `1.5s`, `500ms`, `0`) for the flag or input named `about`. Throws
 * `DURATION_MALFORMED`, also if it is negative or longer than 24 days. https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string, about: string): Duration {
  const trimmed = text.trim();
  if (trimmed === '0') return milliseconds(0);
  let total = 0;
  let end = 0;
  while (end < trimmed.length) {
    TERM.lastIndex = end;
    const term = TERM.exec(trimmed);
    const factor = MILLISECONDS_PER_UNIT.get(term?.[2] ?? '');
    if (term === null || factor === undefined) break;
    total += Number(term[1]) * factor;
    end = TERM.lastIndex;
  }
  if (end === 0 || end < trimmed.length || !Number.isFinite(total)) {
    throw new Failure({
      code: 'DURATION_MALFORMED',
      fault: 'usage',
      about,
      message: `"${text.slice(0, 100)}" is not a duration`,
      hint: 'write a number with a unit, such as 500ms, 30s, 15m0s or 2h; 0 means no limit',
    });
  }
  if (total > LONGEST_DURATION) {
    throw new Failure({
      code: 'DURATION_MALFORMED',
      fault: 'usage',
      about,
      message: `"${text.slice(0, 100)}" is longer than 24 days`,
      hint: 'write at most 596h; 0 means no limit',
    });
  }
  return milliseconds(total);
}

const AGE = /^(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?$/;
const LONGEST_DAYS = 365;
const DAY = 24 * 3_600_000;

/**
 * Reads an age such as `48h`, `2d`, `1d12h`, `90m` or `0`, for the field named `about`. Throws `DURATION_MALFORMED`, also for
 * more than a year.
 */
export function parseAge(text: string, about: string): Duration {
  const trimmed = text.trim();
  const match = AGE.exec(trimmed);
  const [days = 0, hours = 0, minutes = 0] = (match ?? []).slice(1).map((part) => Number(part ?? 0));
  const total = days * DAY + hours * 3_600_000 + minutes * 60_000;
  const isRead = trimmed === '0' || (match !== null && trimmed !== '');
  if (isRead && total <= LONGEST_DAYS * DAY) return milliseconds(total);
  throw new Failure({
    code: 'DURATION_MALFORMED',
    fault: 'usage',
    about,
    message: `expected an age, found ${JSON.stringify(text.slice(0, 100))}`,
    hint: `write days, hours or minutes, such as "48h" or "2d", at most ${LONGEST_DAYS}d; "0" means no minimum age`,
  });
}

/** Returns a duration for people, in at most two units: `350 ms`, `4.2 s`, `3 m 20 s`, `2 h 5 m`. */
export function formatDuration(duration: Duration): string {
  if (duration < 1000) return `${Math.round(duration)} ms`;
  if (duration < 59_950) return `${(duration / 1000).toFixed(1)} s`;
  const whole = Math.round(duration / 1000);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`;
}
