import type { DatabaseSync } from 'node:sqlite';
import { numberIn } from './column.ts';
import { hasTable } from './schema.ts';
import { statement } from './statement.ts';

/** How much a table of a state may hold. */
interface TableLimit {
  readonly table: string;
  readonly rows: number;
  /** The longest value of each column that has no number, in bytes. */
  readonly lengths: Readonly<Record<string, number>>;
}

/** Host and port, or a path. A repository has 255 characters at most. */
const NAME = 512;
/** An OCI tag has 128 characters at most. */
const TAG = 128;
/** Of sha512. */
const DIGEST = 64;

/** Several times what the largest mirrors have. */
const LIMITS: readonly TableLimit[] = [
  { table: 'repository', rows: 100_000, lengths: { host: NAME, path: NAME } },
  { table: 'content_options', rows: 10_000, lengths: { key: 16_384 } },
  {
    table: 'image',
    rows: 1_000_000,
    lengths: { tag: TAG, source_tag: TAG, source_digest: DIGEST, pushed_digest: DIGEST },
  },
  { table: 'failure', rows: 1_000_000, lengths: { tag: TAG, code: TAG } },
  { table: 'blob', rows: 500_000, lengths: { digest: DIGEST } },
  { table: 'pattern', rows: 100_000, lengths: { host: NAME, pattern: 1024 } },
  { table: 'listing', rows: 100_000, lengths: { host: NAME, path: NAME } },
  { table: 'run', rows: 10_000, lengths: { scope: 2048, outcome: 64 } },
  { table: 'sighting', rows: 1_000_000, lengths: { tag: TAG, digest: DIGEST } },
  {
    table: 'kubeadm',
    rows: 2000,
    lengths: { version: TAG, etcd: TAG, coredns: TAG, pause: TAG, origin: TAG },
  },
];

/**
 * Returns whether each table has no more rows than a run ever writes, and no longer texts. No text is read for that,
 * and no more rows than the limit, even if the file claims to have more.
 */
export function isWithinLimits(database: DatabaseSync): boolean {
  return LIMITS.every(({ table, rows, lengths }) => {
    // One that a state may lack.
    if (!hasTable(database, 'main', table)) return true;
    const columns = Object.keys(lengths);
    const long = Object.entries(lengths).map(([column, most]) => `octet_length(${column}) > ${most}`);
    const row = statement(
      database,
      `SELECT count(*) AS found, total(${long.map((test) => `ifnull(${test}, 0)`).join(' OR ')}) AS long
FROM (SELECT ${columns.join(', ')} FROM ${table} LIMIT ${rows + 1})`,
    ).get();
    return row !== undefined && numberIn(row, 'found') <= rows && numberIn(row, 'long') === 0;
  });
}
