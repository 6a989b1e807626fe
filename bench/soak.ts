import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RETRY_FLAGS } from '../src/config/flags/connection-flags.ts';
import { type KillTally, killAgainAndAgain } from '../test/faults/killing.ts';
import { killPackAgainAndAgain, type PackTally } from '../test/faults/killing-pack.ts';
import { randomFrom } from '../test/faults/random.ts';
import { mirrorIn } from '../test/faults/weather.ts';

/**
 * `make soak`: kills a mirror and a packer at 200 random moments each, over generations, and prints what was left. Then
 * mirrors in 200 kinds of weather: with 5 % of all answers wrong, and with 25 % and `--retry 14`.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    weathers: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const KILLS_A_LINE = 20;
const signals = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'] as const;

function programOf(name: 'synctl' | 'packer'): readonly string[] {
  const built = resolve(name);
  return existsSync(built) ? [built] : [process.execPath, resolve(`build/src/${name}.js`)];
}

function planFor(name: 'synctl' | 'packer') {
  const program = programOf(name);
  console.log(`seed ${values.seed}, ${program.join(' ')}`);
  return { kills: Number(values.kills), program, signals, random: randomFrom(Number(values.seed)) };
}

function tellMirror(tally: KillTally): void {
  console.log(
    `mirror: ${tally.kills} kills, ${tally.resumes} resumes, ${tally.blobsResent} of ${tally.blobsSent} blobs resent ` +
      `(${tally.blobsInFlight} were in flight), ${tally.brokenTags} broken tags, ${tally.wrongBytes} wrong bytes`,
  );
}

function tellPack(tally: PackTally): void {
  console.log(
    `pack: ${tally.kills} kills, ${tally.resumes} resumes, ${tally.filesFetchedAgain} of ${tally.filesFetched} downloads ` +
      `of what was there, ${tally.partsResent} of ${tally.partsSent} parts and blobs resent that had arrived, ` +
      `${tally.brokenPackages} broken packages, ${tally.wrongBytes} wrong bytes`,
  );
}

function now<Tally extends { readonly kills: number }>(tell: (tally: Tally) => void) {
  return (tally: Tally): void => {
    if (tally.kills % KILLS_A_LINE === 0) tell(tally);
  };
}

/** Mirrors in weather of many seeds, and returns how many images failed or are broken. */
async function tellWeather(share: number, attempts: number): Promise<number> {
  const first = Number(values.seed);
  const seeds = Number(values.weathers);
  let images = 0;
  let requests = 0;
  let failed = 0;
  for (let seed = first; seed < first + seeds; seed += 1) {
    const outcome = await mirrorIn({ share, seed }, attempts);
    images += outcome.images;
    requests += outcome.requests;
    failed += outcome.failures.length + outcome.brokenTags.length;
    for (const told of [...outcome.failures, ...outcome.brokenTags]) console.log(`seed ${seed}: ${told}`);
  }
  const weather = `${100 * share} % of all answers wrong, --retry ${attempts}`;
  console.log(
    `weather, ${weather}: ${seeds} seeds, ${images} images, ${requests} requests, ${failed} failed`,
  );
  return failed;
}

const mirror = await killAgainAndAgain({ ...planFor('synctl'), onKill: now(tellMirror) });
tellMirror(mirror);
const pack = await killPackAgainAndAgain({ ...planFor('packer'), onKill: now(tellPack) });
tellPack(pack);
const rough = await tellWeather(0.05, Number(RETRY_FLAGS[0].default));
const rougher = await tellWeather(0.25, 14);
const faults = [
  ...[mirror.brokenTags, mirror.wrongBytes, mirror.blobsInExcess],
  ...[pack.brokenPackages, pack.wrongBytes, pack.filesFetchedAgain, pack.partsResent],
  ...[rough, rougher],
];
process.exitCode = faults.every((count) => count === 0) ? 0 : 1;
