import { createHash } from 'node:crypto';
import { existsSync, mkdtempDisposableSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPack } from '../../src/pack/run/run.ts';
import { parsePackSettings } from '../../src/pack/settings.ts';
import { NOWHERE } from '../pack/pack-world.ts';
import { Listener } from '../publish/listener.ts';
import { FileServer } from '../support/file-server.ts';
import { Gateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/registry/content.ts';
import type { JournalEntry } from '../support/registry/journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedIndex } from '../support/registry/seed.ts';
import { type Certificate, LOOPBACK } from '../support/test-authority.ts';
import type { Patience } from './causes.ts';
import { brokenFiles } from './package-wholeness.ts';

export const SECRET = 'a password that is for one host';
const VERSION = '1.37.1';
const SMALL: Sizes = { component: 20_000, layers: [5000, 700] };
/** What a component is called on disk. */
export const COMPONENT_FILE = `kubelet-${VERSION}-amd64`;
export const PACKAGE = `kube-${VERSION}-amd64.tar.gz`;

/** How large things are, in bytes. */
export interface Sizes {
  readonly component: number;
  readonly layers: readonly number[];
}

/** All that a package of one image and one component is made from. */
export interface PackCellWorld extends AsyncDisposable {
  readonly mirror: TestRegistry;
  readonly maker: TestRegistry;
  readonly web: Gateway;
  readonly files: FileServer;
  /** Packs; gives what was thrown and what was told. */
  pack(patience: Patience): Promise<{ readonly error: unknown; readonly told: string }>;
  /** The command line of packer for the same; the password is in `KEEL_PASSWORD`. */
  readonly line: readonly string[];
  readonly folder: string;
  /** What stands in the folder for packages. */
  readonly output: string;
  left(): string[];
  faults(): Promise<string[]>;
  /** Names of what was fetched: digests of blobs and files of components, with those that are not whole yet. */
  fetched(): { readonly whole: string[]; readonly parts: string[] };
  /** Their names as they were asked for, since the journals were cleared. */
  asked(): string[];
}

function listed(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/**
 * Opens the world; with `redirects`, the component is fetched from where its address leads. `tls` is the certificate of
 * the maker's registry.
 */
export async function packCellWorld(
  redirects = false,
  sizes = SMALL,
  tls: Certificate = LOOPBACK,
): Promise<PackCellWorld> {
  const image = { seed: 'proxy', tags: [`v${VERSION}`], layers: sizes.layers };
  const component = generatedBytes('kubelet', sizes.component);
  const stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(mkdtempDisposableSync(join(tmpdir(), 'keel-pack-')));
  const access = { mode: 'bearer', users: { keel: SECRET } } as const;
  const mirror = stack.use(await startRegistry({ redirectBlobs: true, access }));
  // As registry.k8s.io, which gives no tokens: whatever authorizes at it comes from the mirror.
  const maker = stack.use(await startRegistry({ tls }));
  seedIndex(mirror.storage, 'keel/kube-proxy', image);
  seedIndex(maker.storage, 'kube-proxy', image);
  const files = stack.use(await FileServer.start());
  const web = stack.use(await Gateway.open(files.origin));
  const digest = createHash('sha256').update(component).digest('hex');
  files.put('/store/kubelet', component);
  files.put('/kubelet', component);
  files.put('/kubelet.sha256', `${digest}\n`);
  if (redirects) {
    const fault = { kind: 'redirect', location: `${web.url}/store/kubelet` } as const;
    web.fail({ match: { path: /^\/kubelet$/ }, times: Number.POSITIVE_INFINITY, fault });
  }
  const versions = {
    arch: 'amd64',
    images: [{ name: 'kube-proxy', tag: `v${VERSION}`, image: `${maker.host}/kube-proxy` }],
    components: [{ name: 'kubelet', tag: VERSION, uri: `${web.url}/kubelet` }],
  };
  const config = join(folder, 'versions.json');
  writeFileSync(config, JSON.stringify(versions));
  const output = join(folder, 'out');
  const blobs = join(folder, 'images/blobs/sha256');
  const downloads = join(folder, 'downloads');
  const flags = {
    'version-config': config,
    'image-source': `${mirror.host}/keel`,
    username: 'keel',
    output,
    'image-output': join(folder, 'images'),
    'download-output': downloads,
    'retry-interval': '1ms',
  };
  const pack: PackCellWorld['pack'] = async ({ timeouts, attempts }) => {
    const values = { ...flags, password: SECRET, retry: String(attempts) };
    const parsed = parsePackSettings({
      values: new Map(Object.entries(values)),
      environment: {},
      label: (flag) => `--${flag}`,
    });
    if (!parsed.ok) throw parsed.failures[0];
    const reporter = new Listener();
    const error = await runPack(parsed.settings, {
      reporter,
      signal: new AbortController().signal,
      environment: { HOME: folder },
      runCredentialHelper: async () => undefined,
      onSecret: () => undefined,
      ownFiles: [],
      destinations: NOWHERE,
      timeouts,
    }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const told = [reporter.lines, reporter.details, reporter.warnings, reporter.errors].flat();
    return { error, told: told.join('\n') };
  };
  return {
    mirror,
    maker,
    web,
    files,
    pack,
    line: Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
    folder,
    output,
    left: () => listed(output),
    faults: () => brokenFiles(join(output, PACKAGE), new Map([['kubernetes/bin/kubelet', digest]])),
    fetched: () => {
      const all = [...listed(blobs), ...listed(downloads)].filter((name) => !name.endsWith('.json'));
      const isBegun = (name: string): boolean =>
        name.endsWith('.part') &&
        [blobs, downloads].some(
          (place) => (statSync(join(place, name), { throwIfNoEntry: false })?.size ?? 0) > 0,
        );
      const parts = all.filter(isBegun).map((name) => name.slice(0, -'.part'.length));
      return { whole: all.filter((name) => !name.endsWith('.part')), parts };
    },
    asked: () => {
      const blobs = mirror.journal.filter({ kind: 'storage-get' }).map(({ reference }) => reference.slice(7));
      const isComponent = ({ method, path }: JournalEntry) => method === 'GET' && path.endsWith('/kubelet');
      return [...blobs, ...web.journal.filter({ when: isComponent }).map(() => COMPONENT_FILE)];
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
