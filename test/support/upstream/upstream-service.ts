import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { CNI_TABLE, type CniRow } from '../../../src/config/kubernetes/cni-image-table.ts';
import { ForwardProxy } from '../forward-proxy.ts';
import { Gateway } from '../gateway.ts';
import { listen, type OpenListener, resetConnection } from '../registry/listener.ts';
import { MAKERS, MAKERS_AUTHORITIES_FILE } from '../test-authority.ts';
import { NETWORK_PROJECTS, networkLists } from './network-lists.ts';
import {
  CONTAINERD_RELEASES,
  constantsOf,
  kubeadmOf,
  NEWEST,
  NEWEST_MINOR,
  NEXT,
  RELEASES,
  type UpstreamRelease,
} from './releases.ts';
import { tarOf } from './tar.ts';

const HOSTS = [
  'dl.k8s.io',
  'github.com',
  'raw.githubusercontent.com',
  'api.github.com',
  'get.helm.sh',
  'mirror.test',
  'elsewhere.test',
] as const;

type UpstreamHost = (typeof HOSTS)[number];

/** What an answer is instead of the right one. */
export type UpstreamFault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Another text with status 200, such as a page of a proxy. */
  | { readonly kind: 'content'; readonly content: string | Buffer }
  | { readonly kind: 'redirect'; readonly to: string }
  /** Bytes without end, as fast as they are taken. */
  | { readonly kind: 'endless' }
  /** The connection is reset instead of an answer. */
  | { readonly kind: 'reset' }
  /** The headers, half of the content, and a reset. */
  | { readonly kind: 'cut' }
  /** The request is taken, and nothing comes. */
  | { readonly kind: 'silence' }
  /** Half of the content, and then nothing. */
  | { readonly kind: 'stall' };

/** How a host is out of reach: packets to it are dropped, or a firewall resets its connections. */
type Wall = 'filtered' | 'reset';

/** A request as the makers or their mirror saw it. */
export interface UpstreamRequest {
  /** The host that was asked: `mirror` for the address on loopback. */
  readonly at: string;
  /** Whose file was asked for; the same as `at` unless it is a mirror. */
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Kubernetes' makers, and those of containerd, runc, cri-tools and CNI plugins, behind a forward proxy, and a mirror of them on
 * loopback. They have releases that no built-in table knows (`RELEASES`, `NEWEST`), and files for amd64 that a package can be
 * made of.
 */
export class UpstreamService implements AsyncDisposable {
  readonly requests: UpstreamRequest[] = [];
  readonly #files = new Map<string, Buffer | { readonly to: string }>();
  readonly #faults: { readonly prefix: string; readonly fault: UpstreamFault; left: number }[] = [];
  readonly #walls = new Map<string, Wall>();
  readonly #stack = new AsyncDisposableStack();
  readonly #held = new Set<Socket>();
  #origin = '';
  #gateway: Gateway | undefined;
  #proxy: ForwardProxy | undefined;

  /** With `hasGateway`, what the tests of registries can do to answers can be done to these too. */
  static async start(
    releases: readonly UpstreamRelease[] = RELEASES,
    { hasGateway = false } = {},
  ): Promise<UpstreamService> {
    const service = new UpstreamService();
    const listener: OpenListener = await listen(
      (request, response) => service.#answer(request, response),
      hasGateway ? undefined : MAKERS,
    );
    service.#stack.defer(() => listener.close());
    if (hasGateway) service.#gateway = service.#stack.use(await Gateway.open(listener.origin, MAKERS));
    service.#origin = service.#gateway?.url ?? listener.origin;
    const port = Number(new URL(service.#origin).port);
    const routes: Record<string, string> = {};
    for (const host of HOSTS) routes[`${host}:443`] = await service.#gate(host, port);
    service.#proxy = service.#stack.use(await ForwardProxy.start(routes));
    for (const release of releases) service.release(release);
    service.#putComponents();
    return service;
  }

  /** What stands before all of the makers, where it was asked for. */
  get gateway(): Gateway {
    if (this.#gateway === undefined) throw new Error('the service has no gateway');
    return this.#gateway;
  }

  /** The proxy that leads to the makers. */
  get proxy(): ForwardProxy {
    if (this.#proxy === undefined) throw new Error('the service has not begun');
    return this.#proxy;
  }

  /** The address of a mirror of all makers, which needs no proxy: `MIRROR/HOST/PATH`. */
  get mirror(): string {
    return this.#origin;
  }

  /** The variables with which a process reaches the makers. */
  get environment(): Readonly<Record<string, string>> {
    return { HTTPS_PROXY: this.proxy.url, NODE_EXTRA_CA_CERTS: MAKERS_AUTHORITIES_FILE };
  }

  /** Publishes a release; one without `-` is the newest of its minor, and the newest of all if none is newer so far. */
  release(release: UpstreamRelease): void {
    const { version } = release;
    const [, minor = ''] = version.split('.');
    const raw = `raw.githubusercontent.com/kubernetes/kubernetes/v${version}`;
    const constants = 'cmd/kubeadm/app/constants/constants.go';
    this.put(`${raw}/${constants}`, constantsOf(release));
    this.put(
      `api.github.com/repos/kubernetes/kubernetes/contents/${constants}?ref=v${version}`,
      constantsOf(release),
    );
    for (const arch of ['amd64', 'arm64', 'ppc64le', 's390x']) {
      const folder = `dl.k8s.io/release/v${version}/bin/linux/${arch}`;
      this.#putSummed(`${folder}/kubeadm`, Buffer.from(kubeadmOf(release)), 'bare');
      for (const name of ['kubelet', 'kubectl']) {
        this.#putSummed(`${folder}/${name}`, Buffer.from(`#!/bin/sh\necho ${name} ${version}\n`), 'bare');
      }
    }
    if (version.includes('-')) return;
    this.put(`dl.k8s.io/release/stable-1.${minor}.txt`, `v${version}\n`);
    this.put('dl.k8s.io/release/stable.txt', `v${version}\n`);
    this.latest('kubernetes/kubernetes', `v${version}`);
  }

  /** Serves a file at an address without its scheme, such as `dl.k8s.io/release/stable.txt`. */
  put(address: string, content: string | Buffer): void {
    this.#files.set(address, Buffer.from(content));
  }

  /** Serves a program with its checksum beside it. */
  putSummed(address: string, content: string): void {
    this.#putSummed(address, Buffer.from(content), 'bare');
  }

  /** Publishes releases of network plugins: upstream's lists are those that make these rows. */
  networks(rows: readonly CniRow[]): void {
    for (const [address, text] of networkLists(rows)) this.put(address, text);
    for (const { plugin, release } of rows) this.latest(NETWORK_PROJECTS[plugin], release);
  }

  /** Changes words of a file. */
  replace(address: string, words: string, others: string): void {
    const file = this.#files.get(address);
    if (file === undefined || 'to' in file) throw new Error(`there is no file ${address}`);
    this.put(address, file.toString().replace(words, others));
  }

  /** Takes a file away. */
  remove(address: string): void {
    this.#files.delete(address);
  }

  /** Answers the next requests for addresses that begin so with a fault; all of them unless a number is given. */
  fail(prefix: string, fault: UpstreamFault, times = Number.POSITIVE_INFINITY): void {
    this.#faults.unshift({ prefix, fault, left: times });
  }

  /** Puts a host, or all of them, out of reach of those who come through the proxy. */
  wall(kind: Wall, ...hosts: readonly UpstreamHost[]): void {
    for (const host of hosts.length === 0 ? HOSTS : hosts) this.#walls.set(host, kind);
  }

  /** Returns the addresses that were asked for, without the scheme, in the order of asking. */
  asked(): string[] {
    return this.requests.map(({ host, path }) => `${host}${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#held) socket.destroy();
    await this.#stack.disposeAsync();
  }

  #putComponents(): void {
    const { containerd, runc, crictl, cniPlugins } = NEWEST;
    this.put('raw.githubusercontent.com/containerd/containerd/main/RELEASES.md', CONTAINERD_RELEASES);
    for (const version of ['2.3.4', '2.3.5', '2.4.0', containerd]) {
      const pinned = version === containerd ? runc : '1.4.3';
      const path = `containerd/containerd/v${version}/script/setup/runc-version`;
      this.put(`raw.githubusercontent.com/${path}`, `v${pinned}\n`);
      this.#download(
        'containerd/containerd',
        version,
        `containerd-${version}-linux-amd64.tar.gz`,
        'sha256sum',
        ['bin/containerd', 'bin/containerd-shim-runc-v2', 'bin/ctr'],
      );
    }
    for (const version of ['1.4.3', runc]) this.#runc(version);
    for (const version of [`1.${NEWEST_MINOR}.0`, `1.${NEWEST_MINOR}.1`, NEXT, crictl]) {
      const file = `crictl-v${version}-linux-amd64.tar.gz`;
      this.#download('kubernetes-sigs/cri-tools', version, file, 'sha256', ['crictl']);
    }
    const plugins = ['bridge', 'host-local', 'loopback', 'portmap'].map((name) => `./${name}`);
    const file = `cni-plugins-linux-amd64-v${cniPlugins}.tgz`;
    this.#download('containernetworking/plugins', cniPlugins, file, 'sha256', plugins);
    this.latest('containerd/containerd', `v${containerd}`);
    this.latest('kubernetes-sigs/cri-tools', `v${crictl}`);
    this.latest('containernetworking/plugins', `v${cniPlugins}`);
    this.networks(CNI_TABLE);
  }

  #runc(version: string): void {
    const program = Buffer.from(`#!/bin/sh\necho runc ${version}\n`);
    const folder = `github.com/opencontainers/runc/releases/download/v${version}`;
    this.put(`${folder}/runc.amd64`, program);
    const digest = createHash('sha256').update(program).digest('hex');
    this.put(
      `${folder}/runc.sha256sum`,
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${digest} *runc.amd64\n-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n`,
    );
  }

  #download(
    repository: string,
    version: string,
    file: string,
    suffix: string,
    names: readonly string[],
  ): void {
    const address = `github.com/${repository}/releases/download/v${version}/${file}`;
    const archive = gzipSync(tarOf(names.map((name) => [name, `#!/bin/sh\necho ${name} ${version}\n`])));
    this.#putSummed(
      address,
      archive,
      suffix === 'sha256' && !repository.startsWith('containernet') ? 'bare' : 'named',
      suffix,
    );
  }

  #putSummed(address: string, content: Buffer, form: 'bare' | 'named', suffix = 'sha256'): void {
    this.put(address, content);
    const digest = createHash('sha256').update(content).digest('hex');
    const file = address.slice(address.lastIndexOf('/') + 1);
    this.put(`${address}.${suffix}`, form === 'bare' ? digest : `${digest}  ${file}\n`);
  }

  /** Makes `releases/latest` lead to a tag, and GitHub's API tell of it. */
  latest(repository: string, tag: string): void {
    this.#files.set(`github.com/${repository}/releases/latest`, {
      to: `https://github.com/${repository}/releases/tag/${tag}`,
    });
    this.put(`github.com/${repository}/releases/tag/${tag}`, `<!DOCTYPE html><title>Release ${tag}</title>`);
    this.put(
      `api.github.com/repos/${repository}/releases/latest`,
      JSON.stringify({ tag_name: tag, assets: [] }),
    );
  }

  /** Lets connections through to the server, unless there is a wall before the host. */
  async #gate(host: string, port: number): Promise<string> {
    const gate: Server = createServer((client) => {
      const wall = this.#walls.get(host);
      client.on('error', () => undefined);
      this.#held.add(client);
      client.on('close', () => this.#held.delete(client));
      if (wall === 'reset') return void client.resetAndDestroy();
      if (wall === 'filtered') return void client.resume();
      const server = connect(port, '127.0.0.1');
      server.on('error', () => client.destroy());
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
      client.pipe(server).pipe(client);
    });
    gate.listen(0, '127.0.0.1');
    await once(gate, 'listening');
    this.#stack.defer(async () => {
      const closed = once(gate, 'close');
      gate.close();
      for (const socket of this.#held) socket.destroy();
      await closed;
    });
    const address = gate.address();
    if (address === null || typeof address === 'string') throw new Error('the gate has no port');
    return `http://127.0.0.1:${address.port}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const named = request.headers.host ?? '';
    const isMirror = named === 'mirror.test' || !HOSTS.some((host) => host === named);
    const whole = request.url ?? '/';
    // One mirror has hosts as folders, another one takes whole addresses.
    const address = isMirror ? whole.replace(/^\/(?:https:\/\/)?/, '') : `${named}${whole}`;
    const slash = address.indexOf('/');
    this.requests.push({
      at: isMirror ? 'mirror' : named,
      host: address.slice(0, slash),
      method: request.method ?? 'GET',
      path: address.slice(slash),
      headers: request.headers,
    });
    const planned = this.#faults.find(({ prefix, left }) => left > 0 && address.startsWith(prefix));
    const file = this.#files.get(address);
    if (planned === undefined) {
      this.#send(file, request, response);
      return;
    }
    planned.left -= 1;
    this.#misbehave(
      planned.fault,
      file === undefined || 'to' in file ? Buffer.from('content') : file,
      response,
    );
  }

  #send(
    file: Buffer | { readonly to: string } | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    if (file === undefined) return void response.writeHead(404).end('404: Not Found');
    if ('to' in file) return void response.writeHead(302, { location: file.to }).end();
    response.writeHead(200, { 'content-length': file.length });
    response.end(request.method === 'HEAD' ? undefined : file);
  }

  #misbehave(fault: UpstreamFault, file: Buffer, response: ServerResponse): void {
    const half = file.subarray(0, Math.ceil(file.length / 2));
    switch (fault.kind) {
      case 'status':
        return void response.writeHead(fault.status, fault.headers).end('no');
      case 'content':
        return void response.writeHead(200, { 'content-type': 'text/html' }).end(fault.content);
      case 'redirect':
        return void response.writeHead(302, { location: fault.to }).end();
      case 'reset':
        return void resetConnection(response.socket);
      case 'silence':
        return;
      case 'stall':
        return void response.writeHead(200, { 'content-length': file.length }).write(half);
      case 'cut':
        response.writeHead(200, { 'content-length': file.length });
        return void response.write(half, () => resetConnection(response.socket));
      case 'endless': {
        response.writeHead(200);
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, '\n')));
        };
        response.on('drain', more);
        more();
      }
    }
  }
}
