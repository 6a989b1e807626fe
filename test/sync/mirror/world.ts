import { CountingProxy } from '../../support/counting-proxy.ts';
import { type Access, DockerRegistry } from '../../support/docker-registry.ts';
import { fillRegistry } from '../../support/images/fill.ts';
import type { RepositoryRecipe } from '../../support/images/kubernetes-set.ts';
import type { LayerRecipe } from '../../support/images/layer.ts';
import { PlainPush } from '../../support/images/push.ts';
import { SyncRoute } from '../../support/sync-run.ts';

/** A layer that all images share. */
export const base: LayerRecipe = { name: 'base', size: 20_000 };
export const platforms = ['linux/amd64', 'linux/arm64', 'linux/s390x'];
/** A layer that each platform of an image has for itself. */
export const own = (name: string): LayerRecipe[] => [{ name, size: 5000 }];

const REPOSITORIES: readonly RepositoryRecipe[] = [
  { name: 'pause', tags: new Map([['3.10', { layers: [base], form: 'docker' }]]), signed: true },
  {
    name: 'coredns/coredns',
    tags: new Map([
      ['v1.13.1', { layers: [base], own: own('coredns-13'), platforms, form: 'docker' }],
      ['v1.14.2', { layers: [base], own: own('coredns-14'), platforms }],
    ]),
  },
  {
    name: 'metrics-server/metrics-server',
    tags: new Map([
      [
        'v0.9.0',
        { layers: [base], own: own('metrics'), platforms: ['linux/amd64', 'linux/arm64'], attested: true },
      ],
    ]),
  },
];
export const SET = { names: REPOSITORIES.map(({ name }) => name) };

/** A source that is filled, a destination, and every request at both of them. */
export async function world(access: Access = 'token') {
  const stack = new AsyncDisposableStack();
  const [from, to] = await Promise.all([
    DockerRegistry.start('token').then((registry) => stack.use(registry)),
    DockerRegistry.start(access).then((registry) => stack.use(registry)),
  ]);
  const source = stack.use(await CountingProxy.start(from));
  const proxy = stack.use(await CountingProxy.start(to));
  const images = await fillRegistry(from, REPOSITORIES);
  const { login } = to;
  const route = new SyncRoute({ source, destination: { host: proxy.host, login }, set: SET });
  const destination = new PlainPush(to);
  return {
    from,
    to,
    source,
    proxy,
    images,
    route,
    destination,
    login,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What is at the source, and its name below the namespace at the destination. */
export const MIRRORED: readonly [string, string][] = [
  ['pause:3.10', 'pause:3.10'],
  ['coredns/coredns:v1.13.1', 'coredns:v1.13.1'],
  ['coredns/coredns:v1.14.2', 'coredns:v1.14.2'],
  ['metrics-server/metrics-server:v0.9.0', 'metrics-server:v0.9.0'],
];
/** What `outcomes` gives when all images ended alike. */
export const ALL = (outcome: string) => Object.fromEntries(MIRRORED.map(([, name]) => [name, outcome]));
