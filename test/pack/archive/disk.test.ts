import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireSpace } from '../../../src/pack/archive/disk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const EXBIBYTE = 2 ** 60;

test('enough space is silent, also for a folder that is not there yet', async () => {
  const folder = scratchFolder();
  await requireSpace([{ folder: join(folder, 'a', 'b'), bytes: 1000, purpose: 'the package' }]);
  expect(readdirSync(folder)).toEqual([]);
});

test('too little space says where, how much is needed and how much is free', async () => {
  const folder = scratchFolder();
  await expect(requireSpace([{ folder, bytes: EXBIBYTE, purpose: 'the package' }])).rejects.toMatchObject({
    code: 'DISK_TOO_SMALL',
    about: folder,
    message: expect.stringMatching(
      /^1048576 TiB are needed .*for the package in .* but [\d.]+ \w+ are free$/,
    ),
  });
});

test('needs on one file system add up', async () => {
  const folder = scratchFolder();
  const { bavail, bsize } = await import('node:fs').then(({ statfsSync }) => statfsSync(folder));
  const most = Math.floor(bavail * bsize * 0.7);
  await requireSpace([{ folder, bytes: most, purpose: 'the downloads' }]);
  const both = [
    { folder, bytes: most, purpose: 'the downloads' },
    { folder: join(folder, 'out'), bytes: most, purpose: 'the package' },
  ];
  await expect(requireSpace(both)).rejects.toMatchObject({
    code: 'DISK_TOO_SMALL',
    message: expect.stringMatching(/for the downloads in .*for the package in /),
  });
});
