import { Failure } from '../../lib/failure.ts';
import { openRunRegistries } from '../parts.ts';
import type { SyncSettings } from '../settings.ts';
import type { RepositorySummary } from './image-rows.ts';
import { type KnownStateParts, openKnownState } from './known-state.ts';
import type { RecordedRun } from './run-rows.ts';
import { State } from './state.ts';
import { inspectFile } from './state-file-kind.ts';

/** The contents of a state, as `synctl sum` lists them. */
export interface StateSummary {
  /** The file, or its name in a registry. */
  readonly file: string;
  readonly repositories: readonly RepositorySummary[];
  /** The runs of each route, `source destination/namespace`, the oldest first. */
  readonly routes: readonly { readonly scope: string; readonly runs: readonly RecordedRun[] }[];
}

/**
 * Returns the contents of a state file, which stays unchanged. Throws `STATE_MISSING` and what `State.open` throws.
 */
function summariseState(file: string, reporter: KnownStateParts['reporter']): StateSummary {
  if (inspectFile(file) === 'missing') {
    throw new Failure({
      code: 'STATE_MISSING',
      fault: 'usage',
      about: file,
      message: 'there is no such state file',
      hint: 'run synctl sync first, which writes it, or name another file: synctl sum FILE',
    });
  }
  using state = State.open(file, { reporter, mode: 'read' });
  return contentsOf(state, file);
}

/**
 * Returns the contents of the state at `--db`, or with `--state registry` of the one in the registry. Both stay
 * unchanged. Throws `STATE_MISSING` and what `State.open` throws.
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
      hint: 'run synctl sync --state registry first, which pushes it; give the --source, --push-to, --push-ns and --shard of that run',
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
