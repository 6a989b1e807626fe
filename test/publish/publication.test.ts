import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import type { TargetMeans } from '../../src/publish/contract/target-kind.ts';
import { Publication } from '../../src/publish/publication.ts';
import { QiniuTarget } from '../../src/publish/qiniu/qiniu-target.ts';
import { ReleaseTarget } from '../../src/publish/release/release-target.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { Kodo } from '../support/kodo/kodo.ts';
import { ReleaseService } from '../support/release-service.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { Listener } from './listener.ts';
import { PackageFixture } from './package-fixture.ts';

const MIB = 1024 * 1024;
const NAME = 'kube-1.36.2-amd64.tar.gz';
const calm = new AbortController().signal;
const retry = { attempts: 2, interval: milliseconds(1) };

function qiniu(kodo: Kodo, secretKey = kodo.account.secretKey): QiniuTarget {
  const { accessKey } = kodo.account;
  const place = { bucket: 'keel', zone: undefined, endpoint: new URL(kodo.url) };
  return new QiniuTarget({ accessKey, secretKey, ...place, retry, overwrite: false });
}

function release(service: ReleaseService): ReleaseTarget {
  const { repository, token, url } = service;
  return new ReleaseTarget({
    repository,
    token,
    api: new URL(url),
    tag: undefined,
    retry,
    overwrite: false,
  });
}

describe('publishing to several targets', () => {
  it('tells all that are no good, in the order given', async () => {
    await using kodo = await Kodo.start();
    await using service = await ReleaseService.start({ mayWrite: false });
    using publication = new Publication([qiniu(kodo, 'wrong'), release(service)], new Listener());
    await expect(publication.prove(calm)).rejects.toMatchObject({
      about: 'qiniu, release',
      message: expect.stringMatching(/\n {2}qiniu: .*\n {2}release: /),
    });
  });

  it('brings the package to all of them, and tells the sum of their progress', async () => {
    await using kodo = await Kodo.start();
    await using service = await ReleaseService.start();
    await using fixture = await PackageFixture.write(NAME, 5 * MIB);
    const listener = new Listener();
    using publication = new Publication([qiniu(kodo), release(service)], listener);
    await publication.prove(calm);
    const { locations, failures } = await publication.publish(fixture.file, calm);
    expect(failures).toEqual([]);
    expect(locations.map((location) => location.target).toSorted()).toEqual(['qiniu', 'release']);
    expect(kodo.object('keel', NAME)).toMatchObject({ hash: fixture.file.qetag });
    expect(service.release('kube-1.36.2').assets).toHaveLength(1);
    expect(listener.shown.at(-1)).toMatchObject({ done: 2, total: 2, bytes: 10 * MIB, bytesTotal: 10 * MIB });
    expect(listener.lines.join('\n')).toContain('qiniu: kube-1.36.2-amd64.tar.gz (5 MiB) published: http://');
  });

  it('goes on with the others when one fails, and reports it', async () => {
    await using kodo = await Kodo.start();
    await using service = await ReleaseService.start();
    await using fixture = await PackageFixture.write(NAME, MIB);
    const listener = new Listener();
    using publication = new Publication([release(service), qiniu(kodo, 'wrong')], listener);
    await expect(publication.prove(calm)).rejects.toMatchObject({
      code: 'TARGETS_REFUSED',
      about: 'qiniu',
      cause: { errors: [{ code: 'CREDENTIALS_REFUSED' }] },
    });
    const { locations, failures } = await publication.publish(fixture.file, calm);
    expect(locations).toMatchObject([{ target: 'release', outcome: 'published' }]);
    expect(failures).toMatchObject([{ target: 'qiniu', error: { code: 'CREDENTIALS_REFUSED' } }]);
    expect(listener.errors).toEqual([
      expect.stringMatching(/^qiniu: Qiniu: the access key or secret key is wrong/),
    ]);
    expect(listener.errors.join()).not.toContain('wrong-');
  });

  it('ends with the run', async () => {
    await using kodo = await Kodo.start();
    const aborted = AbortSignal.abort(new Error('enough'));
    using publication = new Publication([qiniu(kodo)], new Listener());
    await expect(publication.prove(aborted)).rejects.toThrow('enough');
  });
});

it('reads --ca-file once where a registry is opened, so that it may be a pipe', async () => {
  await using kodo = await Kodo.start();
  const caFile = join(scratchFolder(), 'ca.pem');
  execFileSync('mkfifo', [caFile]);
  // Whoever reads a pipe a second time waits for another writer.
  const written = writeFile(caFile, readFileSync('test/fixtures/registry-token/certificate.pem'));
  const open = async ({ openRegistries }: TargetMeans) => {
    await openRegistries({ host: parseHost('registry.example'), username: undefined, password: undefined });
    return qiniu(kodo);
  };
  const connections = {
    retry,
    queryLimit: undefined,
    limit: undefined,
    insecureRegistries: [],
    tlsSkipVerify: [],
    caFile,
  };
  using publication = await Publication.open(
    { targets: [{ word: 'dockerhub', open }], overwrite: false },
    connections,
    {
      environment: {},
      runCredentialHelper: async () => undefined,
      onSecret: () => undefined,
      signal: calm,
      reporter: new Listener(),
      artifacts: undefined,
    },
  );
  await written;
  expect(publication).toBeInstanceOf(Publication);
});
