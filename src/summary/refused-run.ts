import type { Place } from '../lib/reporter.ts';
import { code, escapeMarkdown } from '../lib/text/markdown.ts';
import { formatPage } from './page.ts';

/** A reason why a run could not start. */
export interface Obstacle {
  readonly text: string;
  readonly place?: Place | undefined;
}

/** Returns the page of a run that could not start, or was stopped before it had results: the reasons. */
export function formatRefusal(obstacles: readonly Obstacle[], title = 'Nothing was mirrored'): string {
  const rows = obstacles.map(({ text, place }) => {
    const where = place === undefined ? '' : `${code(`${place.file}:${place.line}:${place.column}`)} `;
    return `- ${where}${escapeMarkdown(text)}`;
  });
  return formatPage([{ head: `## ❌ ${title}\n`, rows, more: (left) => `- and ${left} more in the log` }]);
}
