import { writeFileSync } from 'node:fs';
import { milliseconds, seconds } from '../src/lib/duration.ts';
import { formatSummary } from '../src/summary/sync-summary.ts';
import { headlineOf } from '../src/sync/report/wording.ts';
import type { RecordedRun } from '../src/sync/state/run-rows.ts';

// Writes the summary page of an invented run, as Markdown, for the picture in the README:
// node build/scripts/summary-picture.js FILE

const MIB = 1 << 20;
const NIGHTS = [0, 31, 0, 4, 12, 0] as const;

const host = 'registry.cn-hangzhou.aliyuncs.com/keel';
const image = (name: string, tag: string, size: number, spent: number) => ({
  repository: `${host}/${name}`,
  tag,
  bytes: Math.round(size * MIB),
  duration: milliseconds(spent),
});
const copied = [
  image('kube-apiserver', 'v1.36.3', 29.1, 8400),
  image('kube-apiserver', 'v1.35.8', 28.7, 7900),
  image('kube-controller-manager', 'v1.36.3', 24.6, 7100),
  image('kube-proxy', 'v1.36.3', 30.2, 8800),
  image('kube-scheduler', 'v1.36.3', 19.4, 5200),
  image('coredns', 'v1.14.2', 21.8, 6100),
  image('csi-provisioner', 'v6.1.0', 27.3, 7600),
  image('csi-provisioner', 'v6.0.2', 26.9, 7500),
  image('metrics-server', 'v0.9.0', 31.5, 9300),
];
const failed = ['v1.26.7', 'v1.26.8'].map((tag) => `registry.k8s.io/dns/k8s-dns-node-cache:${tag}`);
const failures = [
  {
    images: failed,
    message: 'registry.cn-hangzhou.aliyuncs.com: cannot push the manifest, the registry answered 403: DENIED',
    hint: 'check that the namespace exists and that the account has permission for this there',
  },
];
const runs = NIGHTS.map((count, index): RecordedRun => {
  const started = new Date(Date.UTC(2026, 2, 1 + index, 16, 24));
  return {
    started,
    ended: new Date(started.getTime() + 21_000 + count * 3100),
    outcome: 'succeeded',
    copied: count,
    skipped: 5120 - count,
    failed: 0,
    deferred: 0,
    bytes: count * 27 * MIB,
  };
});
const started = new Date(Date.UTC(2026, 2, 1 + NIGHTS.length, 16, 24));
const ended = new Date(started.getTime() + seconds(49));
const bytes = copied.reduce((sum, image) => sum + image.bytes, 0);
const totals = { copied: copied.length, skipped: 5111, failed: failed.length, deferred: 0, bytes };
const wanted = totals.copied + totals.skipped + totals.failed;
const lastRun: RecordedRun = {
  ...totals,
  started,
  ended,
  outcome: 'failed',
};

const page = formatSummary({
  headline: headlineOf({
    totals: { ...totals, total: wanted },
    shards: [],
    unmatched: [],
    options: { dryRun: false },
    started: started.toISOString(),
    ended: ended.toISOString(),
  }),
  source: 'registry.k8s.io',
  destination: host,
  outcome: 'failed',
  dryRun: false,
  wanted,
  copied,
  releases: [],
  skipped: totals.skipped,
  failed: totals.failed,
  moved: [],
  failures,
  young: [],
  deferred: [],
  collisions: [],
  unmatched: [{ name: 'kube-apisever', place: { file: 'image_set.json', line: 4, column: 5 } }],
  warnings: [],
  bytes,
  duration: seconds(49),
  runs: [...runs, lastRun],
});
writeFileSync(process.argv[2] ?? '/dev/stdout', page);
