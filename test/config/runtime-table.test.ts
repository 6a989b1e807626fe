import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { containerdRange } from '../../src/config/kubernetes/containerd-support.ts';
import { kubeadmMinors } from '../../src/config/kubernetes/kubeadm-tags.ts';
import { NEWEST_CNI_PLUGINS, RUNTIME_TABLE } from '../../src/config/kubernetes/runtime-table.ts';

describe('the table of container runtimes', () => {
  it('has a row for every minor of the kubeadm table, in order and without gaps', () => {
    const { oldest, newest } = kubeadmMinors();
    const minors = Array.from({ length: newest - oldest + 1 }, (_, index) => oldest + index);
    expect(RUNTIME_TABLE.map(({ minor }) => minor)).toEqual(minors);
  });

  it('has what upstream says in words that are understood, and lacks it for the newest minors only', () => {
    const isListed = RUNTIME_TABLE.map(({ support }) => support !== undefined);
    expect(isListed.lastIndexOf(true)).toBeLessThan(
      isListed.indexOf(false) === -1 ? Infinity : isListed.indexOf(false),
    );
    for (const { minor, support } of RUNTIME_TABLE) {
      if (support === undefined) continue;
      expect(containerdRange(support), String(minor)).toBeDefined();
      expect(support.day, String(minor)).toMatch(/^20\d\d-\d\d-\d\d$/);
    }
  });

  it('never goes back to an older containerd for a newer Kubernetes, and names one runc for each containerd', () => {
    for (const [index, row] of RUNTIME_TABLE.entries()) {
      const next = RUNTIME_TABLE[index + 1];
      if (next !== undefined) expect(semver.gte(next.containerd, row.containerd), `${next.minor}`).toBe(true);
      for (const other of RUNTIME_TABLE) {
        if (other.containerd === row.containerd) expect(other.runc, row.containerd).toBe(row.runc);
      }
    }
    expect(semver.valid(NEWEST_CNI_PLUGINS)).toBe(NEWEST_CNI_PLUGINS);
  });
});
