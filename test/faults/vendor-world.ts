import type { Report } from '../../src/sync/report/report.ts';
import { TOKENS } from '../support/registry/access.ts';
import { type RegistryOptions, startRegistry } from '../support/registry/registry.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import { Storage } from '../support/registry/storage.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { seedAttested } from './attested-image.ts';

export const SET = { names: ['pause', 'coredns/coredns', 'kube-proxy', 'kube-scheduler'] };
export const WANTED = ['coredns:v1.14.2', 'kube-proxy:v1.36.2', 'kube-scheduler:v1.36.2', 'pause:3.10'];
export const all = (outcome: string) => Object.fromEntries(WANTED.map((name) => [name, outcome]));
export const WRITES: readonly RequestKind[] = [
  'manifest-put',
  'mount',
  'upload-start',
  'upload-put',
  'upload-patch',
  'upload-delete',
];

/** A source that lists digests, as registry.k8s.io does, with every kind of image that it has. */
export async function world(options: RegistryOptions) {
  const stack = new AsyncDisposableStack();
  const storage = new Storage();
  const shared = { layers: [3000, 1000], layerSeeds: ['base'] };
  seedIndex(storage, 'pause', { tags: ['3.10'], family: 'docker' });
  const attested = seedAttested(storage, 'coredns/coredns', { seed: 'c', tags: ['v1.14.2'], ...shared });
  seedImage(storage, 'kube-proxy', { seed: 'p', tags: ['v1.36.2'], ...shared });
  seedIndex(storage, 'kube-scheduler', { seed: 's', tags: ['v1.36.2'], ...shared });
  const source = stack.use(await startRegistry({ frontDoor: true, storage }));
  const destination = stack.use(await startRegistry({ access: TOKENS, ...options }));
  const route = new SyncRoute({ source, destination, set: SET });
  const digests = {
    of: (name: string) => {
      const [repository = '', tag = ''] = name.split(':');
      return destination.storage.manifest(`keel/${repository}`, tag)?.digest;
    },
    atSource: (repository: string, tag: string) => storage.manifest(repository, tag)?.digest,
  };
  return {
    storage,
    source,
    destination,
    route,
    attested,
    digests,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

interface StoredBody {
  readonly config: { readonly digest: string; readonly mediaType: string };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
}

/** The manifest of an image, as a registry holds it. */
export function parseStored(storage: Storage, repository: string, tag: string): StoredBody {
  return JSON.parse(storage.manifest(repository, tag)?.bytes.toString('utf8') ?? '{}');
}

/** What had to be converted, by its name at the destination. */
export function conversions({ images }: Report): Record<string, string> {
  return Object.fromEntries(
    images.flatMap(({ destination, conversion }) =>
      conversion === undefined ? [] : [[destination.replace(/^[^/]+\/keel\//, ''), conversion]],
    ),
  );
}

/** What has an OCI index, and so becomes a Docker list where those are refused. */
export const IN_DOCKER = { 'coredns:v1.14.2': 'docker-format', 'kube-scheduler:v1.36.2': 'docker-format' };
