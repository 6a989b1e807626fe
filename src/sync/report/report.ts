import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { writeFileWhole } from '../../lib/atomic-file.ts';
import { type Duration, milliseconds } from '../../lib/duration.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { readJson } from '../../lib/json.ts';
import { requireOutputFile } from '../../lib/output-file.ts';
import { decodeText, UndecodableText } from '../../lib/text/decoded-text.ts';
import { eachOf } from '../../lib/zero-value.ts';
import { formatPlatform } from '../../registry/oci/platform.ts';
import type { SyncSettings } from '../settings.ts';

/** Increased when readers of the report have to change. New optional fields do not require it. */
const REPORT_SCHEMA_VERSION = 1;
const TOOL = 'keel-pkg';

const count = z.int().min(0);
const time = z.iso.datetime().describe('UTC, ISO 8601');

const place = z
  .object({ file: z.string(), line: z.int().min(1), column: z.int().min(1) })
  .describe('Where in a file it stands; lines and columns count from 1');

const reason = z.object({
  code: z.string().describe('A literal for programs, such as RATE_LIMITED or UNCHANGED'),
  message: z.string().describe('What happened, for people'),
  hint: z.string().optional().describe('What to change'),
});

const signature = z.object({
  status: z
    .enum(['verified', 'unverified', 'exempt'])
    .describe(
      'exempt: the policy of its registry is "off"; an image that failed for want of one has a reason',
    ),
  identity: z.string().optional().describe('Whom the certificate names'),
  issuer: z.string().optional().describe('Who vouched for that name'),
  form: z
    .enum(['cosign', 'bundle'])
    .optional()
    .describe("Under cosign's tag, or as a bundle that refers to the image"),
  reason: reason.optional().describe('Why no signature counts'),
});

const digest = z.string().regex(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/);

const movedSide = z.object({
  digest,
  created: time.optional().describe('When the image was made, as its configuration says. Missing: not known'),
  mirrored: time.optional().describe('When a run of this mirror pushed it'),
  uploaded: time.optional().describe('When it was uploaded to the source, where the source tells that'),
  signature: signature.optional().describe('Where --verify-signatures asks for it'),
});

const moved = z.object({
  kind: z
    .enum(['moved', 'differs', 'went-back'])
    .describe(
      'moved: the tag should not move, and has another digest at the source than the one that was mirrored; ' +
        'differs: such a tag has another digest at the source than at the destination, and which of them changed is ' +
        'not known; went-back: a tag that moves by nature, whose new image is older than the one before it',
    ),
  kept: z.boolean().describe('Whether the destination was left as it is (--moved-tags keep)'),
  before: movedSide.describe('What was mirrored; of "differs", what the destination has'),
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
  source: z.string().describe('host/repository:tag'),
  destination: z.string().describe('host/repository:tag'),
  outcome: z
    .enum(['copied', 'skipped', 'checked', 'failed', 'collision', 'deferred', 'withdrawn'])
    .describe(
      'copied: pushed by this run (in a dry run: would be); skipped: there, without a request; checked: there, by an ' +
        'answer; failed; collision: several sources want this name; deferred: left for the next run; withdrawn: ' +
        'given up at --push-timeout',
    ),
  digest: digest.optional().describe('What the tag is at the destination, where that is known'),
  reason: reason.optional(),
  failures: z
    .array(
      reason.extend({
        part: z.string().describe('A platform, such as windows/amd64 10.0.17763.1, or a layer'),
      }),
    )
    .optional()
    .describe('Of an image that failed by some of its parts: why each of them did; reason has the first'),
  conversion: z
    .enum(['without-attestations', 'docker-format', 'oci-format'])
    .optional()
    .describe(
      'What had to be changed, as the destination refuses the image as it is: its digest there is another one, which ' +
        'its signatures do not fit. docker-format: Docker manifest and list instead of OCI, without attestations; ' +
        'oci-format: OCI manifest and index instead of Docker',
    ),
  layersLeftOut: count
    .optional()
    .describe(
      'Layers of types that are not distributed, which the source does not hold or the destination does not take: who ' +
        'pulls the image fetches them from the addresses in its manifest. Missing: none, as far as is known',
    ),
  signature: signature.optional().describe('Where --verify-signatures asked for it in this run'),
  moved: moved
    .optional()
    .describe('Of a tag that moved and should not, and of one that went back to an older image'),
  claimants: z.array(z.string()).optional().describe('Of a collision: all sources that want the name'),
  patch: z.string().optional().describe('Of a collision: JSON to put into "patches" of the image set'),
  bytes: count.describe('Sent to the destination for this image'),
  blobs: z.object({ uploaded: count, mounted: count, present: count }).optional(),
  milliseconds: count,
});

const totals = z.object({
  total: count.describe('Images (tags) that were wanted'),
  copied: count,
  skipped: count.describe('skipped and checked'),
  failed: count.describe('failed, collision and withdrawn'),
  deferred: count,
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
  shards: z
    .array(shard)
    .describe('The shards that this report tells about; empty for a run that was not divided'),
  stateRestored: z.boolean().describe('Whether what an earlier run knew was found'),
  interrupted: z
    .object({ message: z.string(), left: count.describe('Images that were not dealt with') })
    .optional()
    .describe('Why the run ended early; missing where it did not'),
  totals,
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
        tags: count.describe('How many it has'),
        emptied: z
          .enum(['filters', 'since'])
          .describe(
            'filters: none passes; since: some do, and none was uploaded since the day that is asked for',
          ),
        place: place.optional(),
      }),
    )
    .optional()
    .describe('Images that the source has, of which no tag is wanted. Missing in older reports'),
  warnings: z.array(z.object({ message: z.string(), place: place.optional() })),
  requests: z
    .array(z.object({ host: z.string(), requests: count, retried: count, rateLimited: count }))
    .describe('What was asked of each host'),
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
export function countImages(images: Iterable<Pick<ReportedImage, 'outcome' | 'bytes'>>): Totals {
  const totals = { total: 0, copied: 0, skipped: 0, failed: 0, deferred: 0, bytes: 0 };
  for (const { outcome, bytes } of images) {
    totals.total += 1;
    totals[COUNTED_AS[outcome]] += 1;
    totals.bytes += bytes;
  }
  return totals;
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

type ReportHead = Pick<
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

/** Of wrong images only the first one is told. */
const readShape = REPORT_SCHEMA.extend({ images: eachOf(image) });
const ownShape = z.object({ schemaVersion: z.number(), tool: z.object({ name: z.literal(TOOL) }) });

/**
 * Makes sure, before a run, that its report replaces nothing but a report. `others` are files that the same command
 * reads or writes, which it must not be either. Throws `FILE_NOT_OURS` and `PATH_UNUSABLE`.
 */
export function requireReportFile(file: string | undefined, others: readonly string[]): void {
  if (file === undefined) return;
  const same = others.find((other) => resolve(other) === resolve(file));
  if (same !== undefined) {
    throw new Failure({
      code: 'FILE_NOT_OURS',
      fault: 'usage',
      about: file,
      message: 'this command uses the file for something else',
      hint: 'give the report another path',
    });
  }
  requireOutputFile(file, { what: 'report', isOne: isReport });
}

/** A report of a hundred thousand images is heavy, and a file that was named by whoever waits for it. */
function reportJson(content: Buffer): unknown {
  return readJson(decodeText(content), Number.POSITIVE_INFINITY);
}

/** Returns whether a file is a report of any version. */
function isReport(file: string): boolean {
  try {
    return ownShape.safeParse(reportJson(readFileSync(file))).success;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof UndecodableText) return false;
    throw error;
  }
}

/** Writes a report to a file, completely or not at all. Throws `FILE_UNWRITABLE`. */
export function writeReport(file: string, report: Report): void {
  writeFileWhole(file, formatReport(report));
}

/** Returns the report in a file, whose content `read` returns. Throws `REPORT_UNREADABLE` and `REPORT_MALFORMED`. */
export function readReport(file: string, read: () => Buffer = () => readFileSync(file)): Report {
  const malformed = (message: string, hint: string, cause?: unknown) =>
    new Failure({ code: 'REPORT_MALFORMED', fault: 'usage', about: file, message, hint, cause });
  const hint = 'give the files that --report wrote';
  let value: unknown;
  try {
    value = reportJson(read());
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof UndecodableText)
      throw malformed(`this is not JSON (${error.message.replaceAll(/\s+/g, ' ')})`, hint, error);
    const isMissing = failureCode(error) === 'ENOENT';
    const message = isMissing ? 'there is no such report' : `it cannot be read: ${failureCode(error)}`;
    throw new Failure({
      code: 'REPORT_UNREADABLE',
      fault: 'usage',
      about: file,
      message,
      hint,
      cause: error,
    });
  }
  const version = z.object({ schemaVersion: z.number() }).safeParse(value).data?.schemaVersion;
  if (version !== undefined && version > REPORT_SCHEMA_VERSION) {
    throw malformed(
      `its schemaVersion is ${version}, and this synctl knows ${REPORT_SCHEMA_VERSION}`,
      'use the version of synctl that wrote it, or a newer one',
    );
  }
  const parsed = readShape.safeParse(value);
  if (parsed.success) return parsed.data;
  if (version === undefined && typeof value === 'object' && !Array.isArray(value)) {
    throw malformed('this is not a report: it has no schemaVersion', hint, parsed.error);
  }
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the whole file' : issue.path.join('.');
  throw malformed(`this is not a report: ${where}: ${issue?.message ?? 'unknown'}`, hint, parsed.error);
}
