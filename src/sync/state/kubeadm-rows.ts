import type { DatabaseSync } from 'node:sqlite';
import type { LearntTags } from '../../config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesVersion } from '../../config/kubernetes/kubernetes-version.ts';
import { plainText } from '../../lib/text/plain-text.ts';
import { parseTag } from '../../registry/oci/reference.ts';
import { readable, textIn } from './column.ts';
import { ensureTable, hasTable } from './schema.ts';
import { statement } from './statement.ts';

/** Returns what earlier runs learnt about kubeadm. */
export function readLearntTags(database: DatabaseSync): LearntTags[] {
  if (!hasTable(database, 'main', 'kubeadm')) return [];
  const rows = statement(database, 'SELECT * FROM kubeadm ORDER BY version').all();
  return readable(rows, (row) => ({
    version: parseKubernetesVersion(textIn(row, 'version'), 'state file'),
    tags: {
      etcd: parseTag(textIn(row, 'etcd')),
      coredns: parseTag(textIn(row, 'coredns')),
      pause: parseTag(textIn(row, 'pause')),
    },
    origin: plainText(textIn(row, 'origin')).replaceAll(/\s+/g, ' '),
  }));
}

/** Records the answers of upstream about kubeadm of some versions, and replaces earlier records of these. */
export function writeLearntTags(database: DatabaseSync, learnt: readonly LearntTags[]): void {
  if (learnt.length === 0) return;
  ensureTable(database, 'kubeadm');
  const insert = statement(database, 'INSERT OR REPLACE INTO kubeadm VALUES (?, ?, ?, ?, ?)');
  for (const { version, tags, origin } of learnt)
    insert.run(version, tags.etcd, tags.coredns, tags.pause, origin);
}
