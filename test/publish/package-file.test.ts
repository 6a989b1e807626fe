import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measurePackage } from '../../src/publish/contract/package-file.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { PackageFixture } from './package-fixture.ts';

const MIB = 1024 * 1024;
const NAME = 'kube-1.36.2-amd64.tar.gz';
const calm = new AbortController().signal;

describe('a package that exists', () => {
  it.each([0, 1, 4 * MIB, 4 * MIB + 1, 9 * MIB])('of %i bytes is measured', async (size) => {
    await using fixture = await PackageFixture.write(NAME, size);
    expect(await measurePackage(fixture.file.path, calm)).toEqual(fixture.file);
  });

  it('must be a file', async () => {
    const expected = {
      code: 'PACKAGE_UNREADABLE',
      hint: expect.stringContaining('set --pkg-uri to the path of a package'),
    };
    await expect(measurePackage(scratchFolder(), calm)).rejects.toMatchObject(expected);
    const pipe = join(scratchFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const other = { ...expected, message: 'it is not a file' };
    await expect(measurePackage(pipe, calm)).rejects.toMatchObject(other);
    const missing = { ...expected, message: 'there is no such file' };
    await expect(measurePackage('/nowhere/kube.tar.gz', calm)).rejects.toMatchObject(missing);
  });
});
