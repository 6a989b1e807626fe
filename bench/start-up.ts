import { spawn } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { median } from './sample.ts';

// Prints how long action-sync takes to its first request. Usage: npm run compile && node build/bench/start-up.js

const ROUNDS = 15;
const BUNDLE = path.resolve('dist/action-sync/index.js');

/** Returns the milliseconds from starting action-sync to the first request that it sends to anyone. */
async function measureStart(environment: (origin: string) => Record<string, string>): Promise<number> {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'keel-start-up-'));
  const { promise: asked, resolve } = Promise.withResolvers<number>();
  const server = createServer((_, response) => {
    resolve(performance.now());
    response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const host = `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  await writeFile(path.join(folder.path, 'image_set.json'), '{"names": ["pause"]}');
  const started = performance.now();
  const child = spawn(process.execPath, [BUNDLE], {
    cwd: folder.path,
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      GITHUB_WORKSPACE: folder.path,
      RUNNER_TEMP: folder.path,
      INPUT_SOURCE: host,
      'INPUT_PUSH-TO': host,
      INPUT_RETRY: '1',
      ...environment(`http://${host}/`),
    },
  });
  const time = (await asked) - started;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
  server.closeAllConnections();
  server.close();
  return time;
}

const FIRST_REQUESTS = {
  'with a state to restore': (origin: string) => ({
    ACTIONS_CACHE_SERVICE_V2: 'True',
    ACTIONS_RESULTS_URL: origin,
    ACTIONS_RUNTIME_TOKEN: 'none',
  }),
  'without a cache': () => ({}),
};

for (const [name, environment] of Object.entries(FIRST_REQUESTS)) {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await measureStart(environment));
  console.log(`${name}: ${median(times).toFixed(0)} ms (best ${Math.min(...times).toFixed(0)} ms)`);
}
