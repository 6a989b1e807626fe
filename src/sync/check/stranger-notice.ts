import type { Reporter } from '../../lib/reporter.ts';
import type { Registry } from '../../registry/registry.ts';
import { strangerWarning } from '../report/wording.ts';

/**
 * Warns of each host that does not look like a registry, because images that are missing there may be at another host.
 */
export function warnOfStrangers(registries: readonly Registry[], reporter: Pick<Reporter, 'warning'>): void {
  for (const { host, likeness } of new Set(registries)) {
    if (likeness.oddity !== undefined) reporter.warning(strangerWarning(host, likeness.oddity));
  }
}
