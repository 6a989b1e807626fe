import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { tarFrame } from '../../src/publish/registry/tar-frame.ts';

const NAME = 'kube-1.36.2-amd64.tar.gz';

it('a frame says a size beyond what a plain header can hold', async () => {
  const size = 9 * 1024 ** 3;
  const { before } = await tarFrame({ name: NAME, size });
  // tar lists what the header says before it finds that no content follows.
  const listed = spawnSync('tar', ['-tv'], { input: before, encoding: 'utf8' });
  expect(listed.stdout).toMatch(new RegExp(` ${size} .* ${NAME}\n`));
});
