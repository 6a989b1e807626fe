import { alignColumns } from '../../lib/text/columns.ts';
import { countOf } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { formatTime } from '../../lib/text/time.ts';
import { historyLines } from '../../summary/history.ts';
import type { RepositorySummary } from '../../sync/state/image-rows.ts';
import type { StateSummary } from '../../sync/state/state-summary.ts';

/** Returns a state for people: a headline, the repositories, and a chart of the last runs of each route. */
export function stateSummaryLines({ file, repositories, routes }: StateSummary): string[] {
  const tags = repositories.reduce((sum, repository) => sum + repository.tags, 0);
  const bytes = repositories.reduce((sum, repository) => sum + repository.bytes, 0);
  const unsized = repositories.reduce((sum, repository) => sum + repository.unsized, 0);
  const held =
    repositories.length === 0
      ? 'no images yet'
      : `${countOf(tags, 'tag')} in ${countOf(repositories.length, 'repository', 'repositories')}, ${sizeOf({ tags, bytes, unsized })}`;
  const rows = repositories.map((each) => [
    `${each.destination.host}/${each.destination.repository}`,
    String(each.tags),
    sizeOf(each),
    each.pushed === undefined ? 'none, already there' : formatTime(each.pushed),
  ]);
  const table = [['REPOSITORY', 'TAGS', 'SIZE', 'LAST PUSH (UTC)'], ...rows];
  return [
    `${file}: ${held}`,
    ...(rows.length === 0 ? [] : ['', ...alignColumns(table, new Set([1, 2]))]),
    ...routes.flatMap(({ scope, runs }) => [
      '',
      `Runs from ${routeOf(scope).source} to ${routeOf(scope).destination}`,
      ...historyLines(runs),
    ]),
    ...(rows.length === 0 ? [] : ['', 'SIZE counts a shared layer once for each image.']),
    ...(unsized === 0 ? [] : [UNSIZED]),
  ];
}

const UNSIZED = 'It leaves out images that were already there and not pushed in full: their size is unknown.';

function sizeOf({ tags, bytes, unsized }: Pick<RepositorySummary, 'tags' | 'bytes' | 'unsized'>): string {
  if (unsized === 0) return formatSize(bytes);
  return unsized === tags ? '?' : `over ${formatSize(bytes)}`;
}

/** Returns a state for programs, to be written as JSON. */
export function stateSummaryJson({ file, repositories, routes }: StateSummary): unknown {
  return {
    file,
    repositories: repositories.map(({ destination, tags, bytes, unsized, pushed }) => ({
      repository: `${destination.host}/${destination.repository}`,
      tags,
      bytes,
      unsized,
      lastPush: pushed ?? null,
    })),
    runs: routes.flatMap(({ scope, runs }) => runs.map((run) => ({ ...routeOf(scope), ...run }))),
  };
}

function routeOf(scope: string): { readonly source: string; readonly destination: string } {
  const [source = '', destination = ''] = scope.split(' ');
  return { source, destination: destination.replace(/\/$/, '') };
}
