import { type MirrorEntry, parseMirrorEntry, UpstreamMirror } from '../upstream-mirror.ts';
import type { Flag } from './flag.ts';
import type { FlagReader } from './flag-reader.ts';

/** Returns the flag for a mirror of upstream, under a heading. */
export function upstreamMirrorFlag(group: string) {
  return {
    name: 'upstream-mirror',
    value: '[HOST=]URL',
    repeatable: true,
    environment: 'KEEL_UPSTREAM_MIRROR',
    group,
    description:
      'Mirror of dl.k8s.io, github.com, raw.githubusercontent.com and get.helm.sh, used as URL/HOST/PATH; HOST= sets a mirror of one of them',
  } as const satisfies Flag;
}

/** Returns the mirror of upstream. Keeps a failure if the same hosts have two addresses. */
export function readUpstreamMirror<Name extends string>(
  flags: FlagReader<Name | 'upstream-mirror'>,
): UpstreamMirror {
  const entries = flags.list('upstream-mirror', parseMirrorEntry);
  const byHost = new Map<MirrorEntry['host'], MirrorEntry>();
  for (const entry of entries) {
    const known = byHost.get(entry.host);
    if (known !== undefined && known.base.href !== entry.base.href) {
      const what = entry.host ?? 'all upstream hosts';
      flags.refuse('upstream-mirror', `it has two addresses for ${what}`, 'remove one of them');
    }
    byHost.set(entry.host, entry);
  }
  return new UpstreamMirror([...byHost.values()]);
}
