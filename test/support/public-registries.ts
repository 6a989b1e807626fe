import { ForwardProxy } from './forward-proxy.ts';
import { fillRegistry } from './images/fill.ts';
import { KUBERNETES_SET, type RepositoryRecipe } from './images/kubernetes-set.ts';
import { DOCKER_HUB_SET, QUAY_SET } from './images/public-set.ts';
import { startRegistry, type TestRegistry } from './registry/registry.ts';
import { PUBLIC_REGISTRIES } from './test-authority.ts';
import type { Login } from './token-server.ts';

/** Hosts that pages show as destinations; one registry answers for all of them. */
const DESTINATIONS = [
  'example.tencentcloudcr.com',
  'ghcr.io',
  'harbor.example.com',
  'registry.cn-hangzhou.aliyuncs.com',
  'registry.example.com',
  'swr.cn-north-4.myhuaweicloud.com',
];
const NOBODY = { nobody: 'unused-password' };

/**
 * Stand-ins of the registries that pages name, by their names, behind a proxy. Docker Hub lets only its users in, with tokens of a
 * service of its own; registry.k8s.io and quay.io are for everyone; a destination has a user of its own.
 */
export interface PublicRegistries extends AsyncDisposable {
  readonly kubernetes: TestRegistry;
  readonly hub: TestRegistry;
  readonly quay: TestRegistry;
  readonly destination: TestRegistry;
  /** Where `HTTPS_PROXY` leads. */
  readonly proxy: ForwardProxy;
}

/** Starts them with small images, for these users. */
export async function startPublicRegistries(users: {
  readonly hub: readonly Login[];
  readonly destination: readonly Login[];
}): Promise<PublicRegistries> {
  const tls = PUBLIC_REGISTRIES;
  const start = (
    open: boolean,
    logins: Readonly<Record<string, string>>,
    realm?: string,
  ): Promise<TestRegistry> =>
    startRegistry({
      tls,
      access: {
        mode: 'bearer',
        users: logins,
        anonymousPull: open,
        ...(realm === undefined ? {} : { realm }),
      },
    });
  const hub = await start(false, byName(users.hub), 'https://auth.docker.io/token');
  const quay = await start(true, NOBODY);
  const kubernetes = await start(true, NOBODY);
  const destination = await start(false, byName(users.destination));
  await fill(hub, DOCKER_HUB_SET);
  await fill(quay, QUAY_SET);
  await fill(kubernetes, KUBERNETES_SET);
  const proxy = await ForwardProxy.start({
    'registry.k8s.io:443': kubernetes.url,
    'registry-1.docker.io:443': hub.url,
    'auth.docker.io:443': hub.url,
    'quay.io:443': quay.url,
    ...Object.fromEntries(DESTINATIONS.map((host) => [`${host}:443`, destination.url])),
  });
  const end = async (): Promise<void> => {
    await proxy[Symbol.asyncDispose]();
    await Promise.all([hub, quay, kubernetes, destination].map((registry) => registry.close()));
  };
  return { kubernetes, hub, quay, destination, proxy, [Symbol.asyncDispose]: end };
}

function byName(logins: readonly Login[]): Readonly<Record<string, string>> {
  return Object.fromEntries(logins.map(({ username, password }) => [username, password]));
}

/** Fills a registry from behind, where it asks for nothing. */
async function fill({ storage }: TestRegistry, set: readonly RepositoryRecipe[]): Promise<void> {
  await using back = await startRegistry({ tls: false, storage });
  await fillRegistry(back, set);
}
