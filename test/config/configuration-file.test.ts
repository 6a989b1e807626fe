import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { readImageSet, readImageSetIfThere, readVersions } from '../../src/config/configuration-file.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const calm = new AbortController().signal;

afterEach(() => {
  vi.unstubAllEnvs();
});

test('files are read', async () => {
  const folder = scratchFolder();
  const [set, versions] = [join(folder, 'image_set.json'), join(folder, 'versions.json')];
  writeFileSync(set, '{"names": ["pause"]}');
  writeFileSync(versions, '{"images": [{"name": "pause", "tag": "3.10"}]}');
  expect(await readImageSet(set, calm)).toMatchObject({ file: set, names: [{ value: 'pause' }] });
  expect(await readImageSetIfThere(set, calm)).toMatchObject({ file: set });
  expect(await readVersions(versions, calm)).toMatchObject({ file: versions, images: [{ name: 'pause' }] });
});

test('an image set may be missing where someone only asks, and not be wrong', async () => {
  const file = join(scratchFolder(), 'image_set.json');
  expect(await readImageSetIfThere(file, calm)).toBeUndefined();
  writeFileSync(file, '{');
  await expect(readImageSetIfThere(file, calm)).rejects.toMatchObject({ code: 'CONFIGURATION_MALFORMED' });
});

test.each([
  ['', 'name another file, or images as in synctl sync nginx:1.29, or write one as in docs/image-set.md'],
  ['true', 'name another file, or check out the repository in a step before this one'],
])('a file that is missing is told with what helps (GITHUB_ACTIONS=%s)', async (actions, hint) => {
  vi.stubEnv('GITHUB_ACTIONS', actions);
  const file = join(scratchFolder(), 'a.json');
  await expect(readImageSet(file, calm)).rejects.toMatchObject({
    code: 'CONFIGURATION_UNREADABLE',
    fault: 'usage',
    about: file,
    message: 'there is no such file',
    hint,
  });
});

test('a versions.json that is missing is told with where one is', async () => {
  vi.stubEnv('GITHUB_ACTIONS', '');
  await expect(readVersions(join(scratchFolder(), 'versions.json'), calm)).rejects.toMatchObject({
    hint: 'name another file, or start from the versions.json of https://github.com/shipengqi/keel-pkg',
  });
});

test('a file that is a folder is told as that', async () => {
  const folder = join(scratchFolder(), 'a.json');
  mkdirSync(folder);
  await expect(readImageSet(folder, calm)).rejects.toMatchObject({
    code: 'CONFIGURATION_UNREADABLE',
    message: 'it cannot be read: EISDIR',
    hint: undefined,
  });
});

test('a file of Windows PowerShell is read, and one in an old encoding is told with its line', async () => {
  const file = join(scratchFolder(), 'image_set.json');
  writeFileSync(file, Buffer.from('\ufeff{\r\n"names": ["pause"]\r\n}\r\n', 'utf16le'));
  expect(await readImageSet(file, calm)).toMatchObject({
    names: [{ value: 'pause', place: { line: 2, column: 11 } }],
  });
  writeFileSync(file, Buffer.from('{\n"names": ["pause"] // f\u00fcr uns\n}', 'latin1'));
  await expect(readImageSet(file, calm)).rejects.toMatchObject({
    code: 'CONFIGURATION_UNREADABLE',
    fault: 'usage',
    message: 'it is neither UTF-8 nor UTF-16: byte 26, on line 2, is invalid; save it as UTF-8',
  });
});
