import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ResumeRecord } from '../../src/publish/qiniu/resume-record.ts';
import { PackageFixture } from './package-fixture.ts';

const NAME = 'kube.tar.gz';
const FILE = `${NAME}.keel.upload.json`;

it('an upload is remembered beside the package until it is forgotten', async () => {
  await using fixture = await PackageFixture.write(NAME, 10);
  const record = new ResumeRecord(fixture.file, 'keel');
  expect(await record.read()).toBeUndefined();
  await record.write('an upload');
  expect(await new ResumeRecord(fixture.file, 'keel').read()).toBe('an upload');
  expect(await readdir(fixture.folder)).toEqual([NAME, FILE]);
  await record.forget();
  expect(await record.read()).toBeUndefined();
  expect(await readdir(fixture.folder)).toEqual([NAME]);
  await record.forget();
});

it('an upload of other content or to another bucket is not gone on with', async () => {
  await using fixture = await PackageFixture.write(NAME, 10);
  await using other = await PackageFixture.write(NAME, 10);
  await new ResumeRecord(fixture.file, 'keel').write('an upload');
  const changed = { ...fixture.file, sha256: other.file.sha256 };
  expect(await new ResumeRecord(changed, 'keel').read()).toBeUndefined();
  await rename(join(fixture.folder, FILE), join(fixture.folder, `${NAME}.other.upload.json`));
  expect(await new ResumeRecord(fixture.file, 'other').read()).toBeUndefined();
});

it.each(['', '{', '{"version":2}', '[]'])('a record that holds %j is of no use', async (text) => {
  await using fixture = await PackageFixture.write(NAME, 10);
  await writeFile(join(fixture.folder, FILE), text);
  expect(await new ResumeRecord(fixture.file, 'keel').read()).toBeUndefined();
});

it('a folder that does not exist costs nothing', async () => {
  const file = { ...(await PackageFixture.write(NAME, 10)).file, path: '/nowhere/kube.tar.gz' };
  const record = new ResumeRecord(file, 'keel');
  await record.write('an upload');
  await record.forget();
  expect(await record.read()).toBeUndefined();
});
