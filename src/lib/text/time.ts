/** Returns a time in UTC, to the minute: `2026-03-01 02:00`. */
export function formatTime(date: Date): string {
  return date.toISOString().slice(0, 16).replace('T', ' ');
}
