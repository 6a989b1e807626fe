import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { tarLayer } from '../../src/publish/registry/image-layer.ts';
import { PackageFixture } from './package-fixture.ts';

const NAME = 'kube-1.36.2-amd64.tar.gz';
const calm = new AbortController().signal;

function listTar(layer: Buffer): string[] {
  return execFileSync('tar', ['-t'], { input: layer, encoding: 'utf8' }).trim().split('\n');
}

it('an abort while the package is hashed for its layer ends it with its reason', async () => {
  await using fixture = await PackageFixture.write('package.tgz', 1000);
  const reason = new Error('stopped');
  await expect(tarLayer(fixture.file, AbortSignal.abort(reason))).rejects.toBe(reason);
});

describe('the layer of an image', () => {
  it('gives any range of itself, so that an upload can go on after a cut', async () => {
    await using fixture = await PackageFixture.write(NAME, 2000);
    const layer = await tarLayer(fixture.file, calm);
    const read = async (range?: { start: number; end: number }) =>
      Buffer.concat(await (await layer.source.open(layer, calm, range)).toArray());
    const whole = await read();
    expect(listTar(whole)).toEqual([NAME]);
    expect(whole).toHaveLength(layer.size);
    expect(`sha256:${createHash('sha256').update(whole).digest('hex')}`).toBe(layer.digest);
    for (const [start, end] of [
      [0, 10],
      [500, 600],
      [512, 2512],
      [2500, 2600],
      [2600, layer.size],
    ] as const) {
      expect((await read({ start, end })).equals(whole.subarray(start, end)), `${start}-${end}`).toBe(true);
    }
    expect(await readdir(fixture.folder)).toEqual([NAME]);
  });

  it('is not made of a file that changed', async () => {
    await using fixture = await PackageFixture.write(NAME, 2000);
    await writeFile(fixture.file.path, Buffer.alloc(2000));
    await expect(tarLayer(fixture.file, calm)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });
});
