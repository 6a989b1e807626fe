import { writeFileSync } from 'node:fs';
import { milliseconds, seconds } from '../src/lib/duration.ts';
import type { RecordedRun } from '../src/sync/state.ts';
import { formatSummary } from '../src/sync/summary/summary.ts';

// Writes the summary page of an imagined night, as Markdown, for the picture in the README:
// node build/scripts/summary-picture.js FILE

const MIB = 1 << 20;
const NIGHTS = [0, 31, 0, 4, 12, 0, 9] as const;

const runs = NIGHTS.map((copied, index): RecordedRun => {
  const started = new Date(Date.UTC(2026, 2, 1 + index, 16, 24));
  const isLast = index === NIGHTS.length - 1;
  return {
    started,
    ended: new Date(started.getTime() + 21_000 + copied * 3100),
    outcome: isLast ? 'failed' : 'succeeded',
    copied,
    skipped: 5120 - copied,
    failed: isLast ? 3 : 0,
    deferred: 0,
    bytes: copied * 27 * MIB,
  };
});

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
const page = formatSummary({
  headline: '9 copied (240 MiB), 5,111 unchanged, 3 failed in 49 s',
  source: 'registry.k8s.io',
  destination: host,
  outcome: 'failed',
  dryRun: false,
  wanted: 5123,
  copied,
  skipped: 5111,
  failed: 3,
  failures: ['v1.26.8', 'v1.26.7'].map((tag) => ({
    image: `registry.k8s.io/dns/k8s-dns-node-cache:${tag}`,
    message: 'registry.cn-hangzhou.aliyuncs.com: cannot push the manifest, the registry answered 403: DENIED',
    hint: 'check that the namespace exists and that the account may do this there',
  })),
  deferred: [],
  collisions: [
    {
      destination: `${host}/kube-scheduler:v0.34.7`,
      sources: ['registry.k8s.io/kube-scheduler', 'registry.k8s.io/scheduler-plugins/kube-scheduler'],
      patch: '{"match": "scheduler-plugins/kube-scheduler", "name": "scheduler-plugins-kube-scheduler"}',
    },
  ],
  unmatched: [{ name: 'kube-apisever', place: { file: 'image_set.json', line: 4, column: 5 } }],
  warnings: [],
  bytes: copied.reduce((sum, { bytes }) => sum + bytes, 0),
  duration: seconds(49),
  runs,
});
writeFileSync(process.argv[2] ?? '/dev/stdout', page);
