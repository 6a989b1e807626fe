import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import qiniu from 'qiniu';
import { describe, expect, it } from 'vitest';
import { Kodo, type KodoSettings } from './kodo.ts';

const MIB = 1024 * 1024;

async function withKodo(
  settings: KodoSettings,
  use: (kodo: Kodo, sdk: ReturnType<typeof sdkFor>) => Promise<void>,
) {
  await using kodo = await Kodo.start({ takesRepeatedPort: true, ...settings });
  await use(kodo, sdkFor(kodo));
}

function sdkFor(kodo: Kodo, secretKey = kodo.account.secretKey) {
  const mac = new qiniu.auth.digest.Mac(kodo.account.accessKey, secretKey);
  const endpoint = new qiniu.httpc.Endpoint(kodo.host, { defaultScheme: 'http' });
  const names = ['uc', 'up', 'io', 'rs', 'rsf', 'api'];
  const services = Object.fromEntries(names.map((name) => [name, [endpoint]]));
  const region = new qiniu.httpc.Region({ regionId: 'z0', services });
  const config = new qiniu.conf.Config({ regionsProvider: new qiniu.httpc.StaticRegionsProvider([region]) });
  return {
    mac,
    config,
    manager: new qiniu.rs.BucketManager(mac, config),
    token: (options: qiniu.rs.PutPolicyOptions) => new qiniu.rs.PutPolicy(options).uploadToken(mac),
    form: (token: string, key: string, body: Buffer) =>
      new qiniu.form_up.FormUploader(config).put(token, key, body, new qiniu.form_up.PutExtra()),
    parts: (token: string, key: string, file: string, partSize = 4 * MIB) =>
      new qiniu.resume_up.ResumeUploader(config).putFileV2(
        token,
        key,
        file,
        qiniu.resume_up.PutExtra.create(key, {}, 'application/gzip', undefined, undefined, partSize, 'v2'),
      ),
  };
}

async function withFile(bytes: Buffer, use: (file: string) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'kodo-test-'));
  try {
    const file = join(folder, 'file');
    await writeFile(file, bytes);
    await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the Kodo stand-in, with the qiniu package', () => {
  it('takes a form upload and gives it back by a signed address', () =>
    withKodo({}, async (kodo, sdk) => {
      const body = randomBytes(70_000);
      const put = await sdk.form(sdk.token({ scope: 'keel:a/b.tar.gz' }), 'a/b.tar.gz', body);
      expect(put.resp.statusCode).toBe(200);
      const blockHash = createHash('sha1').update(body).digest();
      expect(put.data.hash).toBe(Buffer.concat([Buffer.of(0x16), blockHash]).toString('base64url'));
      const deadline = Math.floor(Date.now() / 1000) + 60;
      const address = sdk.manager.privateDownloadUrl(`${kodo.url}/keel`, 'a/b.tar.gz', deadline);
      const answer = await fetch(address);
      expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
      expect((await fetch(address.replace(/token=[^:]+:.{4}/, 'token=test-access-key:AAAA'))).status).toBe(
        401,
      );
      expect(
        (await fetch(sdk.manager.privateDownloadUrl(`${kodo.url}/keel`, 'a/b.tar.gz', deadline - 100)))
          .status,
      ).toBe(401);
    }));

  it.each([
    { partSize: 4 * MIB, prefix: 'l', name: 'with version 1 for parts of 4 MiB' },
    { partSize: 2 * MIB, prefix: 'n', name: 'with version 2 for others' },
  ])('puts parts together and computes the etag $name', ({ partSize, prefix }) =>
    withKodo({}, async (kodo, sdk) => {
      const body = randomBytes(9 * MIB + 17);
      await withFile(body, async (file) => {
        const put = await sdk.parts(sdk.token({ scope: 'keel:x' }), 'x', file, partSize);
        expect(put.data).toEqual({ key: 'x', hash: expect.stringMatching(`^${prefix}`) });
        expect((await kodo.content('keel', 'x')).equals(body)).toBe(true);
        expect(kodo.requests('part')).toHaveLength(Math.ceil(body.length / partSize));
        expect(kodo.uploads.count).toBe(0);
        expect(await sdk.manager.stat('keel', 'x')).toMatchObject({
          data: { fsize: body.length, hash: put.data.hash, mimeType: 'application/gzip' },
        });
      });
    }),
  );

  it('stats, lists and deletes, and answers 612 and 631 as Kodo does', () =>
    withKodo({}, async (_kodo, sdk) => {
      await sdk.form(sdk.token({ scope: 'keel' }), 'one', Buffer.from('1'));
      await sdk.form(sdk.token({ scope: 'keel' }), 'two', Buffer.from('2'));
      expect((await sdk.manager.listPrefix('keel', { prefix: 'o' })).data).toMatchObject({
        items: [{ key: 'one', fsize: 1 }],
      });
      expect((await sdk.manager.delete('keel', 'one')).resp.statusCode).toBe(200);
      expect((await sdk.manager.stat('keel', 'one')).resp.statusCode).toBe(612);
      expect((await sdk.manager.stat('other', 'one')).resp.statusCode).toBe(631);
    }));

  it('answers the region query by which the package finds its hosts', () =>
    withKodo({}, async (kodo, sdk) => {
      const endpointsProvider = new qiniu.httpc.Endpoint(kodo.host, { defaultScheme: 'http' });
      const query = { endpointsProvider, preferredScheme: 'http', accessKey: kodo.account.accessKey };
      const found = await new qiniu.httpc.QueryRegionsProvider({ ...query, bucketName: 'keel' }).getRegions();
      expect(found.map((region) => region.regionId)).toEqual(['z0']);
      const { up } = found[0]?.services ?? {};
      expect(up?.map((endpoint) => endpoint.host)).toEqual([kodo.host]);
      const absent = new qiniu.httpc.QueryRegionsProvider({ ...query, bucketName: 'absent' });
      await expect(absent.getRegions()).rejects.toThrow('631');
      expect(sdk.mac.accessKey).toBe(kodo.account.accessKey);
    }));

  const later = () => Date.now() + 2 * 3600_000;
  it.each<[string, KodoSettings, qiniu.rs.PutPolicyOptions, number]>([
    ['a token that expired', { now: later }, { scope: 'keel:k' }, 401],
    ['a token for another key', {}, { scope: 'keel:j' }, 403],
    ['a file over the limit of the token', {}, { scope: 'keel:k', fsizeLimit: 3 }, 413],
    ['a bucket that is not there', { buckets: {} }, { scope: 'keel:k' }, 631],
    ['a bucket of another region', { buckets: { keel: 'z2' } }, { scope: 'keel:k' }, 400],
  ])('refuses %s', (_name, settings, policy, status) =>
    withKodo(settings, async (kodo, sdk) => {
      const form = await sdk.form(sdk.token(policy), 'k', Buffer.from('content'));
      expect(form.resp.statusCode).toBe(status);
      await withFile(Buffer.from('content'), async (file) => {
        expect((await sdk.parts(sdk.token(policy), 'k', file)).resp.statusCode).toBe(status);
      });
      expect(kodo.object('keel', 'k')).toBeUndefined();
    }),
  );

  it('refuses signatures of another secret, in uploads and in management', () =>
    withKodo({}, async (kodo) => {
      const wrong = sdkFor(kodo, 'another-secret');
      expect(
        (await wrong.form(wrong.token({ scope: 'keel:k' }), 'k', Buffer.from('x'))).resp.statusCode,
      ).toBe(401);
      expect((await wrong.manager.stat('keel', 'k')).resp.statusCode).toBe(401);
    }));

  it.each<[qiniu.rs.PutPolicyOptions, number]>([
    [{ scope: 'keel:k' }, 200],
    [{ scope: 'keel:k', insertOnly: 1 }, 614],
    [{ scope: 'keel' }, 614],
  ])('lets %o replace other content: %i', (policy, status) =>
    withKodo({}, async (kodo, sdk) => {
      await sdk.form(sdk.token({ scope: 'keel:k' }), 'k', Buffer.from('first'));
      expect((await sdk.form(sdk.token(policy), 'k', Buffer.from('first'))).resp.statusCode).toBe(200);
      expect((await sdk.form(sdk.token(policy), 'k', Buffer.from('second'))).resp.statusCode).toBe(status);
      expect((await kodo.content('keel', 'k')).toString()).toBe(status === 200 ? 'second' : 'first');
    }),
  );

  it('forgets content on wish but still knows its hash', () =>
    withKodo({ keep: 'hashes' }, async (kodo, sdk) => {
      const put = await sdk.form(sdk.token({ scope: 'keel:k' }), 'k', Buffer.from('content'));
      expect(kodo.object('keel', 'k')).toMatchObject({ hash: put.data.hash, size: 7 });
      await expect(kodo.content('keel', 'k')).rejects.toThrow('was not kept');
    }));
});

describe('the Kodo stand-in, request by request', () => {
  const objects = `/buckets/keel/objects/${Buffer.from('k').toString('base64url')}/uploads`;

  it('refuses a part whose MD5 differs, and lets uploads expire', async () => {
    let now = Date.now();
    await withKodo({ uploadLifetime: 1000, now: () => now }, async (kodo, sdk) => {
      const headers = { Authorization: `UpToken ${sdk.token({ scope: 'keel:k' })}` };
      const opened = await fetch(kodo.url + objects, { method: 'POST', headers });
      const { uploadId } = Object(await opened.json());
      const put = (number: number, md5: string) =>
        fetch(`${kodo.url}${objects}/${uploadId}/${number}`, {
          method: 'PUT',
          body: 'abc',
          headers: { ...headers, 'Content-MD5': md5 },
        });
      expect((await put(1, '0'.repeat(32))).status).toBe(406);
      expect((await put(1, createHash('md5').update('abc').digest('hex'))).status).toBe(200);
      const list = await fetch(`${kodo.url}${objects}/${uploadId}`, { headers });
      expect(await list.json()).toMatchObject({ parts: [{ partNumber: 1, size: 3 }] });
      now += 2000;
      expect((await put(2, createHash('md5').update('abc').digest('hex'))).status).toBe(612);
    });
  });

  it('refuses a token for another bucket', () =>
    withKodo({ buckets: { keel: 'z0', other: 'z0' } }, async (kodo, sdk) => {
      const headers = { Authorization: `UpToken ${sdk.token({ scope: 'other:k' })}` };
      expect((await fetch(kodo.url + objects, { method: 'POST', headers })).status).toBe(403);
    }));

  it('aborts uploads, and plays the faults it is given once', () =>
    withKodo({}, async (kodo, sdk) => {
      const headers = { Authorization: `UpToken ${sdk.token({ scope: 'keel:k' })}` };
      kodo.faults.add({ operation: 'init', answer: { status: 503 } });
      expect((await fetch(kodo.url + objects, { method: 'POST', headers })).status).toBe(503);
      const { uploadId } = Object(
        await (await fetch(kodo.url + objects, { method: 'POST', headers })).json(),
      );
      kodo.faults.add({ operation: 'part', cutAfter: 1 });
      const part = `${kodo.url}${objects}/${uploadId}/1`;
      await expect(fetch(part, { method: 'PUT', body: 'abc', headers })).rejects.toThrow();
      kodo.faults.add({ operation: 'part', loseAnswer: true });
      await expect(fetch(part, { method: 'PUT', body: 'abc', headers })).rejects.toThrow();
      expect(kodo.uploads.count).toBe(1);
      expect((await fetch(`${kodo.url}${objects}/${uploadId}`, { method: 'DELETE', headers })).status).toBe(
        200,
      );
      expect(kodo.uploads.count).toBe(0);
      expect(kodo.journal.map((entry) => [entry.operation, entry.status])).toEqual([
        ['init', 503],
        ['init', 200],
        ['part', 0],
        ['part', 0],
        ['abort', 200],
      ]);
    }));
});
