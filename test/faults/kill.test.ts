import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { killAgainAndAgain } from './killing.ts';
import { randomFrom } from './random.ts';

const SYNCTL = fileURLToPath(new URL('../../src/synctl.ts', import.meta.url));

it('leaves nothing broken and sends nothing twice that had arrived, however often it is killed', async () => {
  const tally = await killAgainAndAgain({
    kills: 20,
    program: [process.execPath, SYNCTL],
    signals: ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'],
    random: randomFrom(20),
  });
  expect(tally).toMatchObject({ kills: 20, resumes: 3, brokenTags: 0, wrongBytes: 0 });
  expect(tally.blobsResent).toBeLessThanOrEqual(tally.blobsInFlight);
}, 180_000);
