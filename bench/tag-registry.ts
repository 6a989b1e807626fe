import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { z } from 'zod';
import { type Host, parseHost } from '../src/registry/oci/reference.ts';
import { originOf } from '../test/support/file-server.ts';
import type { HostTraffic } from './server-process.ts';

export const tagRegistrySettings = z.object({
  repositories: z.number(),
  tags: z.number(),
  /** In front of each repository's name. */
  namespace: z.string(),
  /** Whether a listing tells digests, as registry.k8s.io's does. */
  tellsDigests: z.boolean(),
  /** There and back. */
  milliseconds: z.number(),
});
export type TagRegistrySettings = z.infer<typeof tagRegistrySettings>;

const MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Returns the names of its repositories, without their namespace. */
export function repositoryNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `component-${String(index).padStart(4, '0')}`);
}

function manifestOf(repository: string, tag: string): string {
  const blob = { digest: digestOf(`${repository} ${tag}`), size: 1000 };
  const config = { ...blob, mediaType: 'application/vnd.oci.image.config.v1+json' };
  const layer = { ...blob, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' };
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE, config, layers: [layer] });
}

/**
 * A registry that is read only and has very many tags: manifests are made from their names, every answer is as late
 * as its distance, and a connection costs another round trip. Two of the same shape hold the same content.
 */
export class TagRegistry {
  readonly #settings: TagRegistrySettings;
  readonly #server: Server;
  readonly #digests = new Map<string, ReadonlyMap<string, string>>();
  readonly #listings = new Map<string, Buffer>();
  readonly #requests: Record<string, number> = {};
  readonly #used = new WeakSet<Socket>();
  #connections = 0;
  #bytesReceived = 0;

  private constructor(settings: TagRegistrySettings) {
    this.#settings = settings;
    for (const name of repositoryNames(settings.repositories)) {
      const tags = Array.from({ length: settings.tags }, (_, index) => `v1.${index}.0`);
      const digests = new Map(tags.map((tag) => [tag, digestOf(manifestOf(name, tag))]));
      this.#digests.set(`${settings.namespace}${name}`, digests);
      this.#listings.set(
        `${settings.namespace}${name}`,
        Buffer.from(JSON.stringify(this.#listing(name, digests))),
      );
    }
    this.#server = createServer((request, response) => this.#delay(request, response));
    this.#server.keepAliveTimeout = 300_000;
    this.#server.on('connection', () => {
      this.#connections += 1;
    });
  }

  static async start(settings: TagRegistrySettings): Promise<TagRegistry> {
    const registry = new TagRegistry(settings);
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): Host {
    return parseHost(new URL(originOf(this.#server)).host);
  }

  get traffic(): HostTraffic {
    return {
      connections: this.#connections,
      requests: { ...this.#requests },
      bytesSent: 0,
      bytesReceived: this.#bytesReceived,
    };
  }

  #listing(name: string, digests: ReadonlyMap<string, string>): object {
    const tags = [...digests.keys()];
    if (!this.#settings.tellsDigests) return { name, tags };
    const manifest = Object.fromEntries(
      [...digests].map(([tag, digest]) => [
        digest,
        {
          imageSizeBytes: '2000',
          layerId: '',
          mediaType: MEDIA_TYPE,
          tag: [tag],
          timeCreatedMs: '1700000000000',
          timeUploadedMs: '1700000000000',
        },
      ]),
    );
    return { child: [], manifest, name, tags };
  }

  #delay(request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', socket } = request;
    this.#requests[method] = (this.#requests[method] ?? 0) + 1;
    const { milliseconds } = this.#settings;
    const answer = (): void => this.#answer(method, request.url ?? '', response);
    // The first one on a connection waits for the connection too.
    const roundTrips = this.#used.has(socket) ? 1 : 2;
    this.#used.add(socket);
    if (milliseconds === 0) answer();
    else setTimeout(answer, roundTrips * milliseconds);
  }

  #answer(method: string, url: string, response: ServerResponse): void {
    const [, repository = '', kind, name = ''] =
      /^\/v2\/(?:(.+)\/(manifests|tags)\/([^?]+))?/.exec(url) ?? [];
    const digests = this.#digests.get(repository);
    if (kind === 'tags') {
      this.#send(response, digests === undefined ? 404 : 200, this.#listings.get(repository));
      return;
    }
    const digest = digests?.get(name);
    if (kind === 'manifests' && (method === 'HEAD' || method === 'GET') && digest !== undefined) {
      const body = manifestOf(repository.slice(this.#settings.namespace.length), name);
      response.setHeader('docker-content-digest', digest);
      response.setHeader('content-type', MEDIA_TYPE);
      response.setHeader('content-length', body.length);
      this.#send(response, 200, method === 'GET' ? Buffer.from(body) : undefined);
      return;
    }
    this.#send(response, url === '/v2/' ? 200 : 404, undefined);
  }

  #send(response: ServerResponse, status: number, body: Buffer | undefined): void {
    response.statusCode = status;
    this.#bytesReceived += body?.length ?? 0;
    response.end(body);
  }
}
