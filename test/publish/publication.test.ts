import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import type { TargetMeans } from '../../src/publish/contract/target-kind.ts';
import { Publication } from '../../src/publish/publication.ts';
import { QiniuTarget } from '../../src/publish/qiniu/qiniu-target.ts';
import { ReleaseTarget } from '../../src/publish/release/release-target.ts';
import { parsePublishSettings } from '../../src/publish/settings.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { Gateway } from '../support/gateway.ts';
import { Kodo } from '../support/kodo/kodo.ts';
import { ReleaseService } from '../support/release-service.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { HOSTS, HOSTS_AUTHORITY_FILE } from '../support/test-authority.ts';
import { Listener } from './listener.ts';
import { PackageFixture } from './package-fixture.ts';

const MIB = 1024 * 1024;
const NAME = 'kube-1.36.2-amd64.tar.gz';
const calm = new AbortController().signal;
const retry = { attempts: 2, interval: milliseconds(1) };
const connections = {
  retry,
  queryLimit: undefined,
  limit: undefined,
  insecureRegistries: [],
  tlsSkipVerify: [],
  caFile: undefined,
};
const parts = {
  environment: {},
  runCredentialHelper: async () => undefined,
  onSecret: () => undefined,
  signal: calm,
  reporter: new Listener(),
  artifacts: undefined,
};

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
      message: expect.stringContaining(
        'packer cannot publish the package to this target, so it fetched and sent nothing',
      ),
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
  using publication = await Publication.open(
    { targets: [{ word: 'dockerhub', open }], overwrite: false },
    { ...connections, caFile },
    parts,
  );
  await written;
  expect(publication).toBeInstanceOf(Publication);
});

/** Publishes through gateways with TLS to Kodo and to GitHub's releases, and returns what became of it. */
async function publishOverTls(trust: { caFile?: string; skips?: boolean }, isBehindProxy: boolean) {
  await using stack = new AsyncDisposableStack();
  const kodo = stack.use(await Kodo.start());
  const service = stack.use(await ReleaseService.start());
  const fixture = stack.use(await PackageFixture.write(NAME, 1000));
  const [kodoGate, releaseGate] = [
    stack.use(await Gateway.open(kodo.url, HOSTS)),
    stack.use(await Gateway.open(service.url, HOSTS)),
  ];
  const routes = { 'storage.test:443': kodoGate.url, 'uploads.test:443': releaseGate.url };
  const proxy = stack.use(await ForwardProxy.start(routes));
  vi.stubEnv('HTTPS_PROXY', isBehindProxy ? proxy.url : '');
  vi.stubEnv('https_proxy', '');
  const [kodoHost, releaseHost] = isBehindProxy
    ? ['storage.test', 'uploads.test']
    : [kodoGate.host, releaseGate.host];
  kodo.advertise(kodoHost);
  service.advertise(`https://${releaseHost}`);
  const flags = {
    repo: 'qiniu,release',
    ...{ 'access-key': kodo.account.accessKey, 'secret-key': kodo.account.secretKey },
    ...{ 'qiniu-endpoint': `https://${kodoHost}`, 'github-token': service.token },
    'release-repository': service.repository,
  };
  const parsed = parsePublishSettings({
    values: new Map(Object.entries(flags)),
    environment: { GITHUB_API_URL: `https://${releaseHost}` },
    label: (name) => name,
  });
  if (!parsed.ok) throw new AggregateError(parsed.failures);
  const skipped = [kodoHost, releaseHost].map((host) => parseHost(host));
  using publication = await Publication.open(
    parsed.settings,
    { ...connections, tlsSkipVerify: trust.skips === true ? skipped : [], caFile: trust.caFile },
    parts,
  );
  await publication.prove(calm);
  return (await publication.publish(fixture.file, calm)).locations.map(({ outcome }) => outcome);
}

describe.each([
  ['', false],
  [' behind a proxy', true],
])('a GitHub or Kodo%s whose authority only the user knows', (_where, isBehindProxy) => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    ['the file of --ca-file', { caFile: HOSTS_AUTHORITY_FILE }],
    ['--tls-skip-verify', { skips: true }],
  ])('is trusted by %s', async (_name, trust) => {
    expect(await publishOverTls(trust, isBehindProxy)).toEqual(['published', 'published']);
  });

  it('is refused otherwise, and both are told what to give', async () => {
    const refused = await publishOverTls({}, isBehindProxy).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      about: 'qiniu, release',
      message: expect.stringMatching(/ {2}qiniu: .*--ca-file.*\n {2}release: .*--ca-file/),
      cause: { errors: [{ code: 'TLS_REFUSED' }, { code: 'TLS_REFUSED' }] },
    });
  });
});
