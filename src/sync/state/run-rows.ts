import type { DatabaseSync } from 'node:sqlite';
import type { Host } from '../../registry/oci/reference.ts';
import { numberIn, preciseTimeIn, type Row, readable, textIn } from './column.ts';
import { statement } from './statement.ts';

const RUNS_KEPT = 30;
const OUTCOMES = ['succeeded', 'failed', 'interrupted'] as const;

/** How a run ended. */
export type RunOutcome = (typeof OUTCOMES)[number];

/** A run as the chart of the last runs shows it. */
export interface RecordedRun {
  readonly started: Date;
  readonly ended: Date;
  readonly outcome: RunOutcome;
  readonly copied: number;
  readonly skipped: number;
  readonly failed: number;
  readonly deferred: number;
  /** Bytes sent to the destination. */
  readonly bytes: number;
}

/** What a complete run saw at its source. The next run compares itself with it. */
export interface SourceView {
  /** The names and prefixes of the image set that matched something. */
  readonly matched: readonly string[];
  /** The number of entries of each listing, by repository or namespace path. */
  readonly listings: ReadonlyMap<string, number>;
}

/** Returns the last runs of a scope (source, destination and namespace as one text), the oldest first; at most 30. */
export function readRuns(database: DatabaseSync, scope: string): RecordedRun[] {
  const rows = statement(database, 'SELECT * FROM run WHERE scope = ? ORDER BY id DESC LIMIT ?').all(
    scope,
    RUNS_KEPT,
  );
  return readable(rows.reverse(), (row) => ({
    started: preciseTimeIn(row, 'started'),
    ended: preciseTimeIn(row, 'ended'),
    outcome: outcomeIn(row),
    copied: numberIn(row, 'copied'),
    skipped: numberIn(row, 'skipped'),
    failed: numberIn(row, 'failed'),
    deferred: numberIn(row, 'deferred'),
    bytes: numberIn(row, 'bytes'),
  }));
}

/** Returns all scopes with recorded runs, in order. */
export function readScopes(database: DatabaseSync): string[] {
  const rows = statement(database, 'SELECT DISTINCT scope FROM run ORDER BY scope').all();
  return readable(rows, (row) => textIn(row, 'scope'));
}

/** Records a run, and drops all but the last 30 runs of its scope. */
export function writeRun(database: DatabaseSync, scope: string, run: RecordedRun): void {
  statement(
    database,
    `INSERT INTO run (scope, started, ended, outcome, copied, skipped, failed, deferred, bytes)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    scope,
    run.started.getTime(),
    run.ended.getTime(),
    run.outcome,
    run.copied,
    run.skipped,
    run.failed,
    run.deferred,
    run.bytes,
  );
  statement(
    database,
    'DELETE FROM run WHERE scope = ? AND id NOT IN (SELECT id FROM run WHERE scope = ? ORDER BY id DESC LIMIT ?)',
  ).run(scope, scope, RUNS_KEPT);
}

/** Returns what the last complete run saw at a source host. Empty if there was none. */
export function readSourceView(database: DatabaseSync, host: Host): SourceView {
  const patterns = statement(database, 'SELECT pattern FROM pattern WHERE host = ? ORDER BY pattern').all(
    host,
  );
  const listings = statement(database, 'SELECT path, size FROM listing WHERE host = ? ORDER BY path').all(
    host,
  );
  return {
    matched: readable(patterns, (row) => textIn(row, 'pattern')),
    listings: new Map(
      readable(listings, (row): [string, number] => [textIn(row, 'path'), numberIn(row, 'size')]),
    ),
  };
}

/** Records what a complete run saw at a source host, and replaces what an earlier one saw. */
export function writeSourceView(database: DatabaseSync, host: Host, view: SourceView): void {
  statement(database, 'DELETE FROM pattern WHERE host = ?').run(host);
  statement(database, 'DELETE FROM listing WHERE host = ?').run(host);
  const pattern = statement(database, 'INSERT OR IGNORE INTO pattern VALUES (?, ?)');
  for (const matched of view.matched) pattern.run(host, matched);
  const listing = statement(database, 'INSERT INTO listing VALUES (?, ?, ?)');
  for (const [path, size] of view.listings) listing.run(host, path, size);
}

function outcomeIn(row: Row): RunOutcome {
  const text = textIn(row, 'outcome');
  return OUTCOMES.find((outcome) => outcome === text) ?? 'failed';
}
