import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Host } from '../src/registry/reference.ts';
import { DockerRegistry } from '../test/support/docker-registry.ts';
import type { RepositoryRecipe } from '../test/support/images/kubernetes-set.ts';
import { startRegistry } from '../test/support/registry/registry.ts';
import { seedImage } from '../test/support/registry/seed.ts';
import { Distance } from './distance.ts';
import { type Cost, measure, median } from './measure.ts';
import { benchRepositories, fillForBench } from './sync-fixture.ts';

// Mirrors the same repositories from one docker-registry to another, both a round trip of 30 ms away, with ./synctl and
// with `skopeo sync --all`, in turn: into an empty registry (cold), and again without a change. Then ./synctl mirrors
// one layer of 1 GiB, for its memory. Prints a table, and JSON for programs.
// Usage: make bench-sync, or node build/bench/sync.js [--full] [--rounds 3] [--round-trip 30]

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '1' },
    'round-trip': { type: 'string', default: '30' },
  },
});
const rounds = Number(values.rounds);
const roundTrip = Number(values['round-trip']);

const TOOLS = ['synctl', 'skopeo'] as const;
const RUNS = ['cold', 'no change'] as const;
const GIBIBYTE = 1024 ** 3;
const SYNCTL = resolve('synctl');

type Tool = (typeof TOOLS)[number];
type Run = (typeof RUNS)[number];

interface Sample extends Cost {
  readonly requests: number;
  readonly connections: number;
}

/** Writes what each tool reads, and gives its command line. */
async function commandOf(
  tool: Tool,
  from: Host,
  to: Host,
  repositories: readonly RepositoryRecipe[],
  folder: string,
): Promise<string> {
  if (tool === 'synctl') {
    const set = join(folder, 'image_set.json');
    await writeFile(set, JSON.stringify({ names: repositories.map(({ name }) => name) }));
    const route = `--source ${from} --push-to ${to} --push-ns mirror --naming path`;
    return `${SYNCTL} sync ${route} --image-set ${set} --db ${join(folder, 'state')}`;
  }
  const list = join(folder, 'images.yml');
  const images = Object.fromEntries(repositories.map(({ name, tags }) => [name, [...tags.keys()]]));
  // YAML, of which JSON is a part.
  await writeFile(list, JSON.stringify({ [from]: { 'tls-verify': false, images } }));
  const how = '--all --src yaml --dest docker --dest-tls-verify=false';
  // It tells each tag on stderr, where only errors are wanted.
  return `skopeo --insecure-policy sync ${how} ${list} ${to}/mirror 2> >(grep -v level=info >&2)`;
}

async function samplesOf(
  tool: Tool,
  source: Host,
  repositories: readonly RepositoryRecipe[],
): Promise<Record<Run, Sample>> {
  const folder = await mkdtemp(join(tmpdir(), 'keel-bench-sync-'));
  try {
    await using destination = await DockerRegistry.start();
    await using distance = await Distance.start(roundTrip, [source, destination.host]);
    const [from = source, to = destination.host] = distance.hosts;
    const command = await commandOf(tool, from, to, repositories, folder);
    let before = { requests: 0, connections: 0 };
    const sample = async (): Promise<Sample> => {
      const cost = await measure(command);
      const traffic = await distance.traffic();
      const after = {
        requests: traffic.reduce((sum, { requests }) => sum + requests, 0),
        connections: traffic.reduce((sum, { connections }) => sum + connections, 0),
      };
      const { requests, connections } = before;
      before = after;
      return { ...cost, requests: after.requests - requests, connections: after.connections - connections };
    };
    return { cold: await sample(), 'no change': await sample() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Gives the largest memory of `./synctl` while it mirrors one layer of 1 GiB, in MiB, and how long that took. */
async function largeLayer(): Promise<Cost> {
  const folder = await mkdtemp(join(tmpdir(), 'keel-bench-sync-'));
  try {
    await using source = await startRegistry();
    await using destination = await startRegistry({ discardAbove: 1024 * 1024 });
    seedImage(source.storage, 'large', { tags: ['v1.0.0'], layers: [GIBIBYTE] });
    const set = join(folder, 'image_set.json');
    await writeFile(set, JSON.stringify({ names: ['large'] }));
    const route = `--source ${source.host} --push-to ${destination.host} --push-ns mirror`;
    return await measure(`${SYNCTL} sync ${route} --image-set ${set} --db ${join(folder, 'state')}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const samples: Record<Tool, Record<Run, Sample[]>> = {
  synctl: { cold: [], 'no change': [] },
  skopeo: { cold: [], 'no change': [] },
};
const repositories = benchRepositories(values.full);
const tags = repositories.reduce((sum, each) => sum + each.tags.size, 0);
await using source = await DockerRegistry.start();
await fillForBench(source, repositories);
const load = loadavg()[0] ?? 0;
console.log(
  `${repositories.length} repositories, ${tags} tags, ${roundTrip} ms there and back, ${rounds} rounds, load before ${load.toFixed(1)}\n`,
);
for (let round = 0; round < rounds; round += 1) {
  for (const tool of TOOLS) {
    const taken = await samplesOf(tool, source.host, repositories);
    for (const run of RUNS) samples[tool][run].push(taken[run]);
  }
}

const middle = (tool: Tool, run: Run, value: (sample: Sample) => number): number =>
  median(samples[tool][run].map(value));
const row = (cells: readonly string[]): void =>
  console.log(cells.map((cell, index) => (index < 2 ? cell.padEnd(10) : cell.padStart(11))).join(' '));
row(['run', 'tool', 'seconds', 'cpu s', 'memory MiB', 'requests', 'connections']);
for (const run of RUNS) {
  for (const tool of TOOLS) {
    const of = (value: (sample: Sample) => number): number => middle(tool, run, value);
    row([
      run,
      tool,
      of((sample) => sample.seconds).toFixed(2),
      of((sample) => sample.cpuSeconds).toFixed(1),
      of((sample) => sample.memory).toFixed(0),
      of((sample) => sample.requests).toFixed(0),
      of((sample) => sample.connections).toFixed(0),
    ]);
  }
}
const ratio = (run: Run): number =>
  middle('skopeo', run, ({ seconds }) => seconds) / middle('synctl', run, ({ seconds }) => seconds);
console.log(
  `\nsynctl is ${ratio('cold').toFixed(1)} times as fast cold, ${ratio('no change').toFixed(1)} times without a change`,
);
const large = await largeLayer();
console.log(`one layer of 1 GiB: ${large.seconds.toFixed(1)} s, ${large.memory.toFixed(0)} MiB of memory`);
const ratios = { cold: ratio('cold'), noChange: ratio('no change') };
console.log(
  JSON.stringify({ repositories: repositories.length, tags, roundTrip, load, samples, ratios, large }),
);
