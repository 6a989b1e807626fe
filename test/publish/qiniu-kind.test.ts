import { expect, it } from 'vitest';
import { Kodo } from '../support/kodo/kodo.ts';
import { openTargets } from './open-targets.ts';
import { PackageFixture } from './package-fixture.ts';

const NAME = 'kube-1.36.2-amd64.tar.gz';
const calm = new AbortController().signal;

it.each([
  [{}, 'keel'],
  [{ bucket: 'other' }, 'other'],
])('with %j a package goes to the bucket %s, with keys from the environment', async (values, bucket) => {
  await using kodo = await Kodo.start({ buckets: { keel: 'z0', other: 'z0' } });
  await using fixture = await PackageFixture.write(NAME, 1000);
  const { accessKey, secretKey } = kodo.account;
  // As a file ends them.
  const environment = { KEEL_ACCESS_KEY: `${accessKey}\n`, KEEL_SECRET_KEY: `${secretKey}\r\n` };
  const [target] = await openTargets({ 'qiniu-endpoint': kodo.url, ...values }, environment);
  await target?.prove(calm);
  await target?.publish(fixture.file, calm, () => undefined);
  expect(kodo.object(bucket, NAME)).toMatchObject({ hash: fixture.file.qetag });
});

it('a key that is given is used rather than the one of the environment', async () => {
  await using kodo = await Kodo.start();
  const values = { 'qiniu-endpoint': kodo.url, 'access-key': kodo.account.accessKey, 'secret-key': 'wrong' };
  const [target] = await openTargets(values, { KEEL_SECRET_KEY: kodo.account.secretKey });
  await expect(target?.prove(calm)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
});
