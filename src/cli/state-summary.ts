import { Failure } from '../lib/failure.ts';
import type { Reporter } from '../lib/reporter.ts';
import { alignColumns } from '../lib/text/columns.ts';
import { countOf } from '../lib/text/sentence.ts';
import { formatSize } from '../lib/text/size.ts';
import { formatTime } from '../lib/text/time.ts';
import { historyLines } from '../summary/history.ts';
import { openRunRegistries } from '../sync/parts.ts';
import type { SyncSettings } from '../sync/settings.ts';
import type { RepositorySummary } from '../sync/state/image-rows.ts';
import { inspectFile } from '../sync/state/inspection.ts';
import { type KnownStateParts, openKnownState } from '../sync/state/known-state.ts';
import type { RecordedRun } from '../sync/state/run-rows.ts';
import { State } from '../sync/state/state.ts';

/** What a state holds, as `synctl sum` lists it. */
export interface StateSummary {
  /** The file, or its name in a registry. */
  readonly file: string;
  readonly repositories: readonly RepositorySummary[];
  /** The runs of each route, `source destination/namespace`, the oldest first. */
  readonly routes: readonly { readonly scope: string; readonly runs: readonly RecordedRun[] }[];
}

/** Reads what a state file holds and leaves it as it is. Throws `STATE_MISSING` and what `State.open` throws. */
export function summariseState(file: string, reporter: Pick<Reporter, 'warning'>): StateSummary {
  if (inspectFile(file) === 'missing') {
    throw new Failure({
      code: 'STATE_MISSING',
      fault: 'usage',
      about: file,
      message: 'there is no such state file',
      hint: 'synctl sync writes it; name another one as synctl sum FILE',
    });
  }
  using state = State.open(file, { reporter, mode: 'read' });
  return contentsOf(state, file);
}

/**
 * Reads what the state at `--db`, or with `--state registry` the one beside the images, holds and leaves both as they are.
 * Throws `STATE_MISSING` and what `State.open` throws.
 */
export async function summariseKnownState(
  settings: SyncSettings,
  parts: KnownStateParts,
): Promise<StateSummary> {
  if (settings.state === 'file') return summariseState(settings.database, parts.reporter);
  const registries = await openRunRegistries(settings, { ...parts, deadline: undefined });
  try {
    using known = await openKnownState(settings, registries, parts);
    if (known.isThere) return contentsOf(known.state, known.name);
    throw new Failure({
      code: 'STATE_MISSING',
      fault: 'usage',
      about: known.name,
      message: 'there is no state that can be read',
      hint: 'synctl sync --state registry leaves it; --source, --push-to, --push-ns and --shard have to be those of the run',
    });
  } finally {
    registries.close();
  }
}

function contentsOf(state: State, file: string): StateSummary {
  return {
    file,
    repositories: state.repositories(),
    routes: state.scopes().map((scope) => ({ scope, runs: state.runs(scope) })),
  };
}

/** Returns the summary for people: a headline, the repositories, and a chart of the last runs of each route. */
export function stateSummaryLines({ file, repositories, routes }: StateSummary): string[] {
  const tags = repositories.reduce((sum, repository) => sum + repository.tags, 0);
  const bytes = repositories.reduce((sum, repository) => sum + repository.bytes, 0);
  const held =
    repositories.length === 0
      ? 'it knows no image yet'
      : `${countOf(tags, 'tag')} in ${countOf(repositories.length, 'repository', 'repositories')}, ${formatSize(bytes)}`;
  const rows = repositories.map((each) => [
    `${each.destination.host}/${each.destination.repository}`,
    String(each.tags),
    formatSize(each.bytes),
    formatTime(each.pushed),
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
    ...(rows.length === 0 ? [] : ['', 'SIZE counts a layer with each image that has it.']),
  ];
}

/** Returns the summary for machines. */
export function stateSummaryJson({ file, repositories, routes }: StateSummary): unknown {
  return {
    file,
    repositories: repositories.map(({ destination, tags, bytes, pushed }) => ({
      repository: `${destination.host}/${destination.repository}`,
      tags,
      bytes,
      lastPush: pushed,
    })),
    runs: routes.flatMap(({ scope, runs }) => runs.map((run) => ({ ...routeOf(scope), ...run }))),
  };
}

function routeOf(scope: string): { readonly source: string; readonly destination: string } {
  const [source = '', destination = ''] = scope.split(' ');
  return { source, destination: destination.replace(/\/$/, '') };
}
