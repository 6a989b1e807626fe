import { rm, stat } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatSize } from '../src/lib/size.ts';
import { makeFixture } from './archive-fixture.ts';
import { type Cost, measure, median } from './measure.ts';

// Packs the same trees with this project, tar czf and tar | pigz, and the same content with one tar an image as older
// tools do, in turn, and prints medians and ratios.
// Usage: npm run compile && node build/bench/archive.js [rounds]

const RUNNER = fileURLToPath(new URL('./archive-run.js', import.meta.url));

interface Sample extends Cost {
  readonly size: number;
}

function commands(tree: string, output: string, saved: string | undefined): ReadonlyMap<string, string> {
  return new Map([
    ['keel', `'${process.execPath}' '${RUNNER}' '${tree}' '${output}'`],
    ['tar czf', `tar czf '${output}' -C '${tree}' .`],
    ['tar | pigz', `tar cf - -C '${tree}' . | pigz -p ${availableParallelism()} > '${output}'`],
    // What the images were pulled and unpacked for costs time as well, which is not even counted here.
    ...(saved === undefined ? [] : [['a tar an image', `tar czf '${output}' -C '${saved}' .`] as const]),
  ]);
}

async function samplesOf(
  tree: string,
  rounds: number,
  saved: string | undefined,
): Promise<Map<string, Sample[]>> {
  const output = join(tmpdir(), `keel-bench-${process.pid}.tar.gz`);
  const samples = new Map<string, Sample[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, command] of commands(tree, output, saved)) {
      const cost = await measure(command);
      const { size } = await stat(output);
      await rm(output);
      samples.set(name, [...(samples.get(name) ?? []), { ...cost, size }]);
    }
  }
  return samples;
}

function print(samples: ReadonlyMap<string, readonly Sample[]>): void {
  const ours = samples.get('keel') ?? [];
  const middle = (rows: readonly Sample[], of: (row: Sample) => number): number => median(rows.map(of));
  for (const [name, rows] of samples) {
    const ratios = rows.map((row, round) => row.seconds / (ours[round]?.seconds ?? Number.NaN));
    const cells = [
      name.padEnd(14),
      `${middle(rows, (row) => row.seconds).toFixed(2)} s`.padStart(8),
      `${middle(rows, (row) => row.cpuSeconds).toFixed(2)} s CPU`.padStart(12),
      `${Math.max(...rows.map((row) => row.memory)).toFixed(0)} MiB peak`.padStart(13),
      formatSize(middle(rows, (row) => row.size)).padStart(10),
      `${median(ratios).toFixed(2)} × keel's time`.padStart(20),
      `size ${((middle(ours, (row) => row.size) / middle(rows, (row) => row.size) - 1) * 100).toFixed(2)} % (keel against it)`,
    ];
    console.log(cells.join('  '));
  }
}

const rounds = Number(process.argv[2] ?? 3);
const fixture = await makeFixture(join(tmpdir(), `keel-bench-${process.pid}`));
try {
  const { programs, layers } = fixture.sizes;
  console.log(`${formatSize(programs)} of programs, ${formatSize(layers)} of gzip layers, ${rounds} rounds`);
  for (const [name, tree] of Object.entries(fixture.trees)) {
    console.log(`\n${name} (load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores)`);
    print(await samplesOf(tree, rounds, name === 'all' ? fixture.saved : undefined));
  }
} finally {
  await rm(fixture.root, { recursive: true, force: true });
}
