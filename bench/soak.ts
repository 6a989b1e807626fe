import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type KillTally, killAgainAndAgain } from '../test/faults/killing.ts';
import { randomFrom } from '../test/faults/random.ts';

/** `make soak`: kills a mirror at 200 random moments, over generations, and prints what was left behind. */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const built = resolve('synctl');
const program = existsSync(built) ? [built] : [process.execPath, resolve('build/src/synctl.js')];

function line(tally: KillTally): string {
  return (
    `${tally.kills} kills, ${tally.resumes} resumes, ${tally.blobsResent} of ${tally.blobsSent} blobs resent ` +
    `(${tally.blobsInFlight} were in flight), ${tally.brokenTags} broken tags, ${tally.wrongBytes} wrong bytes`
  );
}

console.log(`seed ${values.seed}, ${program.join(' ')}`);
const tally = await killAgainAndAgain({
  kills: Number(values.kills),
  program,
  signals: ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'],
  random: randomFrom(Number(values.seed)),
  onKill: (now) => {
    if (now.kills % 20 === 0) console.log(line(now));
  },
});
console.log(line(tally));
const isSound = tally.brokenTags === 0 && tally.wrongBytes === 0 && tally.blobsInExcess === 0;
process.exitCode = isSound ? 0 : 1;
