import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { Kodo } from '../test/support/kodo/kodo.ts';
import { median } from './measure.ts';
import { type LinkShape, ShapedLink } from './shaped-link.ts';

// Uploads one file to a stand-in for Kodo behind a link with latency and a bandwidth cap, with this project and with
// the qiniu package's own resumable upload, in turn, and prints medians and the ratio.
// Usage: npm run compile && node build/bench/upload.js [MiB] [rounds]

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const RUNNER = fileURLToPath(new URL(`./upload-run.${EXTENSION}`, import.meta.url));
const LINKS: readonly LinkShape[] = [
  { roundTrip: 50, bitsPerSecond: 200e6 },
  { roundTrip: 150, bitsPerSecond: 200e6 },
];
const WAYS = ['keel', 'sdk'] as const;
const LABEL = { keel: 'keel', sdk: 'qiniu putFileV2' };

const sampleShape = z.object({ seconds: z.number(), cpuSeconds: z.number(), peakMiB: z.number() });
type Sample = z.infer<typeof sampleShape>;

async function run(how: string, file: string, shape: LinkShape): Promise<Sample> {
  await using kodo = await Kodo.start({ keep: 'hashes' });
  await using link = await ShapedLink.open(new URL(kodo.url), shape);
  kodo.advertise(new URL(link.url).host);
  const { accessKey, secretKey } = kodo.account;
  const words = [RUNNER, how, file, link.url, accessKey, secretKey];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return sampleShape.parse(JSON.parse(stdout));
}

const mebibytes = Number(process.argv[2] ?? 256);
const rounds = Number(process.argv[3] ?? 1);
const folder = await mkdtemp(join(tmpdir(), 'keel-bench-upload-'));
try {
  const file = join(folder, 'kube-0.0.0-amd64.tar.gz');
  await using sparse = await open(file, 'w');
  await sparse.truncate(mebibytes * 1024 * 1024);
  for (const shape of LINKS) {
    const rate = shape.bitsPerSecond / 1e6;
    console.log(
      `${mebibytes} MiB over ${shape.roundTrip} ms and ${rate} Mbit/s (load ${loadavg()[0]?.toFixed(1)})`,
    );
    const samples: Record<(typeof WAYS)[number], Sample[]> = { keel: [], sdk: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const how of WAYS) samples[how].push(await run(how, file, shape));
    }
    for (const how of WAYS) {
      const of = (value: (sample: Sample) => number): number => median(samples[how].map(value));
      const seconds = of((sample) => sample.seconds);
      const cells = [
        LABEL[how].padEnd(16),
        `${seconds.toFixed(2)} s`.padStart(9),
        `${((mebibytes * 8.388608) / seconds).toFixed(0)} Mbit/s`.padStart(11),
        `${of((sample) => sample.cpuSeconds).toFixed(2)} s CPU`.padStart(11),
        `${of((sample) => sample.peakMiB).toFixed(0)} MiB peak`.padStart(13),
      ];
      console.log(cells.join('  '));
    }
    const ratio = samples.sdk.map(
      (sample, round) => sample.seconds / (samples.keel[round]?.seconds ?? Number.NaN),
    );
    console.log(`keel is ${median(ratio).toFixed(2)} times as fast\n`);
  }
} finally {
  await rm(folder, { recursive: true });
}
