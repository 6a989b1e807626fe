import { expect, it } from 'vitest';
import { tarLayer } from '../../src/publish/registry/image-layer.ts';
import { PackageFixture } from './package-fixture.ts';

it('an abort while the package is hashed for its layer ends it with its reason', async () => {
  await using fixture = await PackageFixture.write('package.tgz', 1000);
  const reason = new Error('stopped');
  await expect(tarLayer(fixture.file, AbortSignal.abort(reason))).rejects.toBe(reason);
});
