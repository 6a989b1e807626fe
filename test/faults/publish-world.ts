import { milliseconds } from '../../src/lib/duration.ts';
import type { PublishTarget } from '../../src/publish/contract/target.ts';
import { QiniuTarget } from '../../src/publish/qiniu/qiniu-target.ts';
import { RegistryTarget } from '../../src/publish/registry/registry-target.ts';
import { ReleaseTarget } from '../../src/publish/release/release-target.ts';
import { explicitCredential } from '../../src/registry/auth/credentials.ts';
import { ADAPTIVE_LIMITS } from '../../src/registry/host-limits.ts';
import { parseReference } from '../../src/registry/oci/reference.ts';
import { Registries } from '../../src/registry/registries.ts';
import { Listener } from '../publish/listener.ts';
import { PackageFixture } from '../publish/package-fixture.ts';
import { Gateway } from '../support/gateway.ts';
import { Kodo } from '../support/kodo/kodo.ts';
import { readContent } from '../support/registry/content.ts';
import type { FaultHandle, FaultRule } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { ReleaseService } from '../support/release-service.ts';
import type { Patience } from './causes.ts';
import { brokenTags } from './wholeness.ts';

export const NAME = 'kube-1.36.2-amd64.tar.gz';
export const SECRET = 'a password that is for one host';
const TAG = 'kube-1.36.2';
const INTERVAL = milliseconds(1);

/** One target with all that stands behind it. */
export interface PublishWorld extends AsyncDisposable {
  readonly fixture: PackageFixture;
  /** Opens the target anew, as each run does. */
  open(patience: Patience): PublishTarget;
  /** Where the target is talked to, as messages name it. */
  readonly place: RegExp;
  fail(rule: FaultRule): FaultHandle;
  /** What someone finds who looks for the package: nothing, all of it, or something else. */
  look(): 'nothing' | 'whole' | 'broken';
  /** Names what is stored there and what was sent since the last call, as far as it is content. */
  stored(): ReadonlySet<string>;
  takeSent(): string[];
}

/** Kodo, with a package of so many bytes. */
export async function kodoWorld(size: number): Promise<PublishWorld> {
  const stack = new AsyncDisposableStack();
  const kodo = stack.use(await Kodo.start());
  const gateway = stack.use(await Gateway.open(kodo.url));
  kodo.advertise(gateway.host);
  const fixture = stack.use(await PackageFixture.write(NAME, size));
  const open = ({ timeouts, attempts }: Patience) =>
    new QiniuTarget({
      accessKey: kodo.account.accessKey,
      secretKey: kodo.account.secretKey,
      bucket: 'keel',
      zone: undefined,
      endpoint: new URL(gateway.url),
      overwrite: false,
      retry: { attempts, interval: INTERVAL },
      timeouts,
    });
  const parts = () => kodo.requests('part').filter(({ status }) => status === 200);
  const nameOf = ({ uploadId, part }: { uploadId: string | undefined; part: number | undefined }) =>
    `part ${part} of ${uploadId}`;
  let before = 0;
  return {
    fixture,
    open,
    place: /Qiniu|bucket keel|127\.0\.0\.1|kube-1\.36\.2/,
    fail: (rule) => gateway.fail(rule),
    look: () => {
      const object = kodo.object('keel', NAME);
      if (object === undefined) return 'nothing';
      return object.hash === fixture.file.qetag && object.size === fixture.file.size ? 'whole' : 'broken';
    },
    stored: () => new Set(parts().map(nameOf)),
    takeSent: () => {
      const sent = kodo.requests('part').slice(before).map(nameOf);
      before = kodo.requests('part').length;
      return sent;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** GitHub's releases. */
export async function releaseWorld(): Promise<PublishWorld> {
  const stack = new AsyncDisposableStack();
  const service = stack.use(await ReleaseService.start());
  const gateway = stack.use(await Gateway.open(service.url));
  service.advertise(gateway.url);
  const fixture = stack.use(await PackageFixture.write(NAME, 1000));
  const { repository, token } = service;
  const api = new URL(gateway.url);
  const open = ({ timeouts, attempts }: Patience) =>
    new ReleaseTarget({
      repository,
      token,
      api,
      tag: undefined,
      retry: { attempts, interval: INTERVAL },
      overwrite: false,
      timeouts,
    });
  let before = 0;
  return {
    fixture,
    open,
    place: /GitHub|owner\/repository|127\.0\.0\.1|kube-1\.36\.2/,
    fail: (rule) => gateway.fail(rule),
    look: () => {
      // Two of one tag, of which one is a draft for ever, are one too many.
      if (service.releases.length > 1) return 'broken';
      const release = service.releases.find(({ tag, draft }) => tag === TAG && !draft);
      if (release === undefined) return 'nothing';
      const [asset, ...others] = release.assets;
      const isWhole = asset?.state === 'uploaded' && asset.content.equals(fixture.content);
      return isWhole && others.length === 0 && asset.name === NAME ? 'whole' : 'broken';
    },
    stored: () =>
      new Set(
        service.releases.flatMap(({ assets }) =>
          assets
            .filter(({ content, state }) => state === 'uploaded' && content.equals(fixture.content))
            .map(({ name }) => name),
        ),
      ),
    takeSent: () => {
      const sent = service
        .requests('upload')
        .slice(before)
        .map(({ asset }) => asset ?? '');
      before = service.requests('upload').length;
      return sent;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A registry that wants a token. */
export async function imageWorld(): Promise<PublishWorld> {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry({ access: { mode: 'bearer', users: { keel: SECRET } } }));
  const fixture = stack.use(await PackageFixture.write(NAME, 1000));
  const open = ({ timeouts, attempts }: Patience) => {
    const registries = new Registries({
      credentials: explicitCredential(registry.host, 'keel', SECRET),
      retry: { attempts, interval: INTERVAL },
      limits: ADAPTIVE_LIMITS,
      insecure: [],
      signal: new AbortController().signal,
      onSecret: () => undefined,
      timeouts,
    });
    stack.defer(() => registries.close());
    const repository = parseReference(`${registry.host}/me/keel-pkg`);
    const reporter = new Listener();
    return new RegistryTarget({
      registries,
      repository,
      form: 'artifact',
      base: undefined,
      label: (flag: string) => `--${flag}`,
      overwrite: false,
      reporter,
    });
  };
  const { storage } = registry;
  return {
    fixture,
    open,
    place: /127\.0\.0\.1|kube-1\.36\.2/,
    fail: (rule) => registry.fail(rule),
    look: () => {
      const manifest = storage.manifest('me/keel-pkg', '1.36.2-amd64');
      if (manifest === undefined) return 'nothing';
      if (brokenTags(storage).length > 0) return 'broken';
      const body: { layers: { digest: string }[] } = JSON.parse(manifest.bytes.toString('utf8'));
      const layer = [...storage.contents].find(([digest]) => digest === body.layers[0]?.digest)?.[1];
      if (layer === undefined) return 'broken';
      return Buffer.concat([...readContent(layer)]).equals(fixture.content) ? 'whole' : 'broken';
    },
    stored: () => new Set<string>(storage.repositories.get('me/keel-pkg')?.blobs),
    takeSent: () => {
      const sent = registry.journal.filter({ kind: 'upload-put' });
      registry.journal.clear();
      return sent.map(({ query }) => query.get('digest') ?? '');
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
