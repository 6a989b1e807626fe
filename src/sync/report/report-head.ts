import { formatPlatform } from '../../registry/oci/platform.ts';
import type { SyncSettings } from '../settings.ts';
import { REPORT_SCHEMA_VERSION, type Report } from './report.ts';

type ReportHead = Pick<
  Report,
  'schemaVersion' | 'tool' | 'source' | 'destination' | 'namespace' | 'options' | 'shards'
>;

/** Returns what a report says of how a run was told to be; `version` is that of the tool. */
export function reportHead(settings: SyncSettings, version: string): ReportHead {
  const {
    source,
    destination,
    namespace,
    naming,
    platforms,
    signatures,
    verify,
    verifySignatures,
    dryRun,
    shard,
  } = settings;
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    tool: { name: 'keel-pkg', version },
    source,
    destination,
    ...(namespace === undefined ? {} : { namespace }),
    options: {
      naming,
      platforms: platforms.map(formatPlatform),
      signatures,
      verify,
      verifySignatures,
      dryRun,
    },
    shards: shard === undefined ? [] : [shard],
  };
}
