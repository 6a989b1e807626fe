import type { Agent, ClientRequest } from 'node:http';
import { isIP } from 'node:net';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

/** The options of the connections to a proxy and through it. */
type ProxyOptions = ConstructorParameters<typeof HttpsProxyAgent>[1];

/**
 * Connects for a request. The connection to the proxy ends with the request. Without this, the packages would wait for a
 * proxy that never answers, and keep the process alive. `connect` must read `connectOpts` before it waits for anything.
 */
async function connectFor<Connected>(
  request: ClientRequest,
  agent: Pick<HttpsProxyAgent<string>, 'connectOpts'>,
  connect: () => Promise<Connected>,
): Promise<Connected> {
  const over = new AbortController();
  const end = (): void => over.abort();
  if (request.destroyed) end();
  request.once('brokenOff', end);
  agent.connectOpts = { ...agent.connectOpts, signal: over.signal };
  try {
    return await connect();
  } finally {
    request.off('brokenOff', end);
  }
}

class TunnelAgent extends HttpsProxyAgent<string> {
  override connect(...[request, options]: Parameters<HttpsProxyAgent<string>['connect']>) {
    return connectFor(request, this, () => super.connect(request, options));
  }
}

class PlainProxyAgent extends HttpProxyAgent<string> {
  /** The package does not send the server name (SNI) to a proxy that uses TLS. */
  constructor(proxy: URL, options: ProxyOptions) {
    super(
      proxy,
      isIP(proxy.hostname.replace(/^\[|\]$/g, '')) === 0
        ? { ...options, servername: proxy.hostname }
        : options,
    );
  }

  /** The package parses the address and writes it again, which may change it. */
  override setRequestProps(
    ...[request, options]: Parameters<HttpProxyAgent<string>['setRequestProps']>
  ): void {
    const { path } = request;
    super.setRequestProps(request, options);
    request.path = `${new URL(request.path).origin}${path}`;
  }

  override connect(...[request, options]: Parameters<HttpProxyAgent<string>['connect']>) {
    return connectFor(request, this, () => super.connect(request, options));
  }
}

/** Returns a pool of connections through a proxy: tunnels for HTTPS, requests with absolute addresses for HTTP. */
export function proxyAgent(isSecure: boolean, proxy: URL, options: ProxyOptions): Agent {
  return isSecure ? new TunnelAgent(proxy, options) : new PlainProxyAgent(proxy, options);
}
