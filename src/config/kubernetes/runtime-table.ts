import type { ContainerdSupport } from './containerd-support.ts';

/** The container runtime that goes with a minor version of Kubernetes. */
export interface RuntimeRow {
  readonly minor: number;
  /** Upstream's words about this minor; undefined if upstream does not list it yet. */
  readonly support: (Pick<ContainerdSupport, 'containerd' | 'cri'> & { readonly day: string }) | undefined;
  /** The containerd that `auto` packs. */
  readonly containerd: string;
  /** The runc that this containerd is released with. */
  readonly runc: string;
}

/** Returns the words of containerd's RELEASES.md on a day. */
function listed(day: string, containerd: string, cri: string): RuntimeRow['support'] {
  return { day, containerd, cri };
}

function row(minor: number, support: RuntimeRow['support'], containerd: string, runc: string): RuntimeRow {
  return { minor, support, containerd, runc };
}

/**
 * The container runtime of each minor, the oldest first. `make tables` writes the rows, as of 2026-08-22, from
 * https://github.com/containerd/containerd/blob/main/RELEASES.md (a minor that is no longer listed keeps its last words; for
 * 1.23, upstream wrote `1,5.8+`), and from script/setup/runc-version at the tag of each containerd.
 */
export const RUNTIME_TABLE: readonly RuntimeRow[] = [
  row(22, listed('2023-03-09', '1.5.5+', 'v1alpha2'), '1.7.34', '1.3.6'),
  row(23, listed('2023-03-09', '1.6.0+, 1.5.8+', 'v1, v1alpha2'), '1.7.34', '1.3.6'),
  row(24, listed('2024-02-29', '1.7.0+, 1.6.4+', 'v1, v1alpha2'), '1.7.34', '1.3.6'),
  row(25, listed('2024-02-29', '1.7.0+, 1.6.4+', 'v1, v1alpha2 **'), '1.7.34', '1.3.6'),
  row(26, listed('2024-09-03', '1.7.0+, 1.6.15+', 'v1, v1alpha2 **'), '1.7.34', '1.3.6'),
  row(27, listed('2024-09-03', '1.7.0+, 1.6.15+', 'v1'), '1.7.34', '1.3.6'),
  row(28, listed('2024-09-03', '1.7.0+, 1.6.15+', 'v1'), '1.7.34', '1.3.6'),
  row(29, listed('2025-04-25', '1.7.11+, 1.6.27+', 'v1'), '1.7.34', '1.3.6'),
  row(30, listed('2025-08-22', '2.1.0+, 2.0.0+, 1.7.13+, 1.6.28+', 'v1'), '1.7.34', '1.3.6'),
  row(31, listed('2025-12-20', '2.1.0+, 2.0.0+, 1.7.20+, 1.6.34+', 'v1'), '1.7.34', '1.3.6'),
  row(32, listed('2026-08-22', '2.1.0+, 2.0.1+, 1.7.24+, 1.6.36+', 'v1'), '2.0.11', '1.3.6'),
  row(33, listed('2026-08-22', '2.1.0+, 2.0.4+, 1.7.24+, 1.6.36+', 'v1'), '2.0.11', '1.3.6'),
  row(34, listed('2026-08-22', '2.1.3+, 2.0.6+, 1.7.28+, 1.6.39+', 'v1'), '2.2.7', '1.3.6'),
  row(35, listed('2026-08-22', '2.2.0+, 2.1.5+, 1.7.28+', 'v1'), '2.2.7', '1.3.6'),
  row(36, listed('2026-08-22', '2.3.0+, 2.2.0+', 'v1'), '2.3.4', '1.4.3'),
  row(37, undefined, '2.3.4', '1.4.3'),
];

/** The newest release of https://github.com/containernetworking/plugins, which `make tables` writes too. */
export const NEWEST_CNI_PLUGINS = '1.9.1';
