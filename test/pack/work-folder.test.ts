import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { workFolder } from '../../src/pack/run/work-folder.ts';
import { Listener } from '../publish/listener.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

it('makes a folder that is missing, and gives its whole path', () => {
  const folder = join(scratchFolder(), 'a', 'b');
  const reporter = new Listener();
  expect(workFolder(relative(process.cwd(), folder), '--output', {}, reporter)).toBe(folder);
  expect(statSync(folder).isDirectory()).toBe(true);
  expect(reporter.details).toEqual([]);
});

it('takes a folder that is there', () => {
  const folder = join(scratchFolder(), 'a');
  mkdirSync(folder);
  expect(workFolder(folder, '--output', {}, new Listener())).toBe(folder);
});

it('says which flag to change where there can be no folder', () => {
  const file = join(scratchFolder(), 'a-file');
  writeFileSync(file, '');
  expect(() => workFolder(file, '--output', {}, new Listener())).toThrow(
    expect.objectContaining({ code: 'PATH_UNUSABLE', about: file }),
  );
  const folder = join(file, 'images');
  expect(() => workFolder(folder, '--image-output', {}, new Listener())).toThrow(
    expect.objectContaining({
      code: 'PATH_UNUSABLE',
      about: folder,
      message: expect.stringContaining('cannot create a folder here'),
      hint: 'choose another one with --image-output',
    }),
  );
});

it('says which flag to change where even root can make no folder', () => {
  expect(() => workFolder('/sys/keel', '--output', {}, new Listener())).toThrow(
    expect.objectContaining({
      code: 'FOLDER_UNWRITABLE',
      about: '/sys/keel',
      hint: 'check its permissions, or choose another one with --output',
    }),
  );
});

// Root may write everywhere, so nothing is forbidden to it.
it.skipIf(process.getuid?.() === 0)('gives a user a place of their own for the customary one', () => {
  const own = scratchFolder();
  const reporter = new Listener();
  const folder = workFolder('/var/run/keel/pack', '--download-output', { RUNNER_TEMP: own }, reporter);
  expect(folder).toBe(join(own, 'keel/pack'));
  expect(reporter.details).toEqual([expect.stringContaining(`so packer uses ${folder}`)]);
});
