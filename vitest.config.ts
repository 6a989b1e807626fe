import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const { KEEL_TALLY: tally } = process.env;

// Processes that run tests trust the servers that tests start; Node reads this when a process starts.
process.env['NODE_EXTRA_CA_CERTS'] = fileURLToPath(
  new URL('test/fixtures/tls/authority.pem', import.meta.url),
);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // node:sqlite, signals and the working directory belong to a process: threads would share them.
    pool: 'forks',
    // Tests of machines and of silent servers wait a fifth of their time: a third file runs in that, on two cores.
    maxWorkers: 3,
    // They end what hangs; how fast a machine is must not decide whether a test passes. On two quiet cores none takes more
    // than 6 s, but for those that say how long they may.
    testTimeout: 120_000,
    hookTimeout: 600_000,
    expect: { poll: { interval: 10, timeout: 60_000 } },
    // What a developer's shell holds must not decide whether a test passes.
    env: { KEEL_USERNAME: '', KEEL_PASSWORD: '', KEEL_DEBUG: '' },
    reporters: tally === undefined ? ['default'] : ['default', './scripts/tally-reporter.ts'],
  },
});
