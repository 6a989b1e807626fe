import { rcompare } from 'semver';
import { z } from 'zod';
import { type Duration, milliseconds } from '../../lib/duration.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { formatPlatform } from '../../registry/oci/platform.ts';
import type { SyncSettings } from '../settings.ts';

/** Increased when readers of the report have to change. New optional fields do not require it. */
export const REPORT_SCHEMA_VERSION = 1;
export const TOOL = 'keel-pkg';

const count = z.int().min(0);
const time = z.iso.datetime().describe('UTC, ISO 8601');

const place = z
  .object({ file: z.string(), line: z.int().min(1), column: z.int().min(1) })
  .describe('Position in a file; lines and columns count from 1');

const reason = z.object({
  code: z.string().describe('A literal for programs, such as RATE_LIMITED or UNCHANGED'),
  message: z.string().describe('What happened, for people'),
  hint: z.string().optional().describe('What to change'),
  host: z.string().optional().describe('The host whose answer made the image fail, or that gave no answer'),
  status: z.int().optional().describe('The HTTP status of that answer'),
});

const failure = reason.pick({ code: true, message: true, hint: true }).extend({
  about: z.string().optional().describe('An image, a host, a file or a flag'),
  place: place.optional(),
});

const signature = z.object({
  status: z
    .enum(['verified', 'unverified', 'exempt'])
    .describe(
      'exempt: the policy of its registry is "off"; an image that failed without a valid signature has a reason',
    ),
  identity: z.string().optional().describe('The identity in the certificate'),
  issuer: z.string().optional().describe('The OIDC issuer that confirmed the identity'),
  form: z
    .enum(['cosign', 'bundle'])
    .optional()
    .describe("Under cosign's tag, or as a bundle that refers to the image"),
  reason: reason.optional().describe('Why no signature is valid'),
});

const digest = z.string().regex(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/);

const movedSide = z.object({
  digest,
  created: time
    .optional()
    .describe('When the image was made, according to its configuration. Missing: not known'),
  mirrored: time.optional().describe('When a run of this mirror pushed it'),
  uploaded: time.optional().describe('When it was uploaded to the source, if the source reports that'),
  signature: signature.optional().describe('Present if --verify-signatures is on'),
});

const moved = z.object({
  kind: z
    .enum(['moved', 'differs', 'went-back'])
    .describe(
      'moved: the tag should not move, but has another digest at the source than the one that was mirrored; ' +
        'differs: such a tag has different digests at the source and at the destination, and it is not known which of ' +
        'them changed; went-back: a tag that moves by nature, whose new image is older than the one before it',
    ),
  kept: z.boolean().describe('Whether the destination was left unchanged (--moved-tags keep)'),
  before: movedSide.describe('What was mirrored; for "differs", what the destination has'),
  now: movedSide.describe('What the source has'),
  isOlder: z
    .boolean()
    .optional()
    .describe('Whether the image of now was made before the other one. Missing: not known'),
  sameImages: z
    .boolean()
    .optional()
    .describe('Whether the images of all platforms that both have are the same. Missing: not known'),
});

const image = z.object({
  source: z.string().describe('host/repository:tag, with @ and a digest if one was given'),
  destination: z.string().describe('host/repository:tag'),
  outcome: z
    .enum(['copied', 'skipped', 'checked', 'failed', 'collision', 'deferred', 'withdrawn'])
    .describe(
      'copied: pushed by this run (in a dry run: would be); skipped: at the destination, according to the state; ' +
        'checked: at the destination, according to its answer; failed; collision: several sources claim this name; ' +
        'deferred: left for the next run; withdrawn: given up at --push-timeout',
    ),
  digest: digest.optional().describe('Digest of the tag at the destination, if known'),
  reason: reason.optional(),
  failures: z
    .array(
      reason.extend({
        part: z.string().describe('A platform, such as windows/amd64 10.0.17763.1, or a layer'),
      }),
    )
    .optional()
    .describe('For an image of which parts failed: why each of them failed; reason has the first'),
  oldEnough: time.optional().describe('Of a tag that is younger than "minimumAge": when it is old enough'),
  conversion: z
    .enum(['without-attestations', 'docker-format', 'oci-format'])
    .optional()
    .describe(
      'What had to be changed, because the destination refuses the original format. The digest there is another one, ' +
        'so signatures do not match. docker-format: Docker manifest and list instead of OCI, without attestations; ' +
        'oci-format: OCI manifest and index instead of Docker',
    ),
  layersLeftOut: count
    .optional()
    .describe(
      'Layers of types that are not distributed, which the source does not have or the destination does not accept. ' +
        'Clients fetch them from the addresses in the manifest. Missing: none, as far as is known',
    ),
  signature: signature.optional().describe('Present if --verify-signatures verified it in this run'),
  moved: moved
    .optional()
    .describe('For a tag that moved but should not, and for one that went back to an older image'),
  claimants: z.array(z.string()).optional().describe('For a collision: all sources that claim the name'),
  patch: z.string().optional().describe('For a collision: JSON to add to "patches" in the image set'),
  bytes: count.describe('Sent to the destination for this image'),
  blobs: z.object({ uploaded: count, mounted: count, present: count }).optional(),
  milliseconds: count,
});

const totals = z.object({
  total: count.describe('Images (tags) that the image set selects'),
  copied: count,
  skipped: count.describe('skipped and checked'),
  failed: count.describe('failed, collision and withdrawn'),
  deferred: count,
  tooYoung: count.optional().describe('Of the deferred ones, those younger than "minimumAge"'),
  bytes: count.describe('Sent to the destination'),
});

const shard = z.object({ index: z.int().min(1), count: z.int().min(1) });

/** The schema of a report, for reading one and for docs/report.schema.json. */
export const REPORT_SCHEMA = z.object({
  schemaVersion: z.literal(REPORT_SCHEMA_VERSION),
  tool: z.object({ name: z.string(), version: z.string() }),
  started: time,
  ended: time,
  source: z.string().describe('Host that images come from; extras may come from others'),
  destination: z.string().describe('Host that images are pushed to'),
  namespace: z.string().optional(),
  options: z.object({
    naming: z.enum(['basename', 'dashed', 'path']),
    platforms: z.array(z.string()).describe('Empty: all'),
    signatures: z.enum(['skip', 'copy']),
    verify: z.enum(['sample', 'all', 'deep', 'none']),
    verifySignatures: z.enum(['off', 'warn', 'require']).optional().describe('Missing in older reports: off'),
    movedTags: z.enum(['warn', 'keep', 'copy']).optional().describe('Missing in older reports: copy'),
    dryRun: z.boolean(),
  }),
  shards: z.array(shard).describe('The shards that this report covers; empty for a run without shards'),
  stateRestored: z.boolean().describe('Whether the state of an earlier run was found'),
  failures: z
    .array(failure)
    .optional()
    .describe('Why the run could not start, so that it checked no image; missing if it started'),
  interrupted: z
    .object({ message: z.string(), left: count.describe('Images that were left for the next run') })
    .optional()
    .describe('Why the run ended early; missing if it did not'),
  totals,
  kubernetes: z
    .array(
      z.object({
        word: z.string().describe('As in the image set, such as 1.38, latest or supported'),
        place: place.optional(),
        versions: z
          .array(
            z.object({
              version: z.string().regex(/^1\.\d{1,3}\.\d{1,4}(-(alpha|beta|rc)\.\d{1,3})?$/),
              origin: z
                .string()
                .describe(
                  'Where the tags of its etcd, CoreDNS and pause come from: table (built in), kubernetes v1.38.0 (the ' +
                    'source code of kubeadm), kubeadm 1.38.0 (the binary), last known, 1.37.1 (of that version), or nobody (unknown)',
                ),
            }),
          )
          .describe('The versions that it means at the source, the newest first. Empty: the source has none'),
        unknown: z
          .literal(true)
          .optional()
          .describe('Set if the source did not list its tags, so the meaning is unknown'),
      }),
    )
    .optional()
    .describe('The releases of Kubernetes that the image set names. Missing in older reports'),
  unmatched: z
    .array(
      z.object({
        pattern: z.string(),
        place: place.optional(),
        matchedBefore: z.boolean(),
        excluded: count
          .optional()
          .describe('How many names a prefix finds, all of which "exclude" leaves out; missing for others'),
      }),
    )
    .describe('Names and prefixes that matched nothing'),
  unselected: z
    .array(
      z.object({
        image: z.string(),
        tags: count.describe('Number of its tags'),
        emptied: z
          .enum(['filters', 'since'])
          .describe(
            'filters: no tag passes them; since: some pass, but none was uploaded since the day in "since"',
          ),
        place: place.optional(),
      }),
    )
    .optional()
    .describe('Images that the source has, of which no tag is wanted. Missing in older reports'),
  warnings: z.array(z.object({ message: z.string(), place: place.optional() })),
  requests: z
    .array(z.object({ host: z.string(), requests: count, retried: count, rateLimited: count }))
    .describe('Requests to each host'),
  images: z.array(image),
});

/** Everything that a run did, for programs. */
export type Report = z.infer<typeof REPORT_SCHEMA>;
export type ReportedImage = Report['images'][number];
export type ReportedMove = NonNullable<ReportedImage['moved']>;
export type ReportedReason = NonNullable<ReportedImage['reason']>;
type Totals = Report['totals'];

const COUNTED_AS: Readonly<Record<ReportedImage['outcome'], 'copied' | 'skipped' | 'failed' | 'deferred'>> = {
  copied: 'copied',
  skipped: 'skipped',
  checked: 'skipped',
  failed: 'failed',
  collision: 'failed',
  withdrawn: 'failed',
  deferred: 'deferred',
};

/** Returns the number of images by outcome, and the bytes sent for them. */
export function countImages(
  images: Iterable<Pick<ReportedImage, 'outcome' | 'bytes' | 'oldEnough'>>,
): Totals {
  const totals: Totals = { total: 0, copied: 0, skipped: 0, failed: 0, deferred: 0, bytes: 0 };
  for (const { outcome, bytes, oldEnough } of images) {
    totals.total += 1;
    totals[COUNTED_AS[outcome]] += 1;
    if (oldEnough !== undefined) totals.tooYoung = (totals.tooYoung ?? 0) + 1;
    totals.bytes += bytes;
  }
  return totals;
}

/** Returns the versions of Kubernetes that a run was about, each once, the newest first. */
export function versionsOf({ kubernetes = [] }: Pick<Report, 'kubernetes'>): string[] {
  const versions = kubernetes.flatMap((word) => word.versions.map(({ version }) => version));
  return [...new Set(versions)].toSorted(rcompare);
}

/** Returns how long the run of a report took. */
export function durationOf({ started, ended }: Pick<Report, 'started' | 'ended'>): Duration {
  return milliseconds(Date.parse(ended) - Date.parse(started));
}

/** Returns a failure as a report states it. */
export function reasonOf(error: unknown): ReportedReason {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Failure ? error.hint : undefined;
  return { code: failureCode(error), message, hint };
}

/** The part of a report that follows from the settings. */
export type ReportHead = Pick<
  Report,
  'schemaVersion' | 'tool' | 'source' | 'destination' | 'namespace' | 'options' | 'shards'
>;

/** Returns the part of a report that follows from the settings. `version` is the tool's. */
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
    movedTags,
    dryRun,
    shard,
  } = settings;
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    tool: { name: TOOL, version },
    source,
    destination,
    namespace,
    options: {
      naming,
      platforms: platforms.map(formatPlatform),
      signatures,
      verify,
      verifySignatures,
      movedTags,
      dryRun,
    },
    shards: shard === undefined ? [] : [shard],
  };
}

/** Returns a report as JSON with one image per line, so that it can be read and compared by line. */
export function formatReport(report: Report): string {
  const { images, ...facts } = report;
  const head = JSON.stringify(facts, undefined, 2).replace(/\n\}$/, '');
  const lines = images.map((each) => `\n    ${JSON.stringify(each)}`).join(',');
  return `${head},\n  "images": [${lines}${lines === '' ? '' : '\n  '}]\n}\n`;
}
