import type { Digest } from '../../../src/registry/oci/digest.ts';
import type { Login } from '../token-server.ts';
import type { Image, ImageManifest } from './image.ts';

/** A registry to prepare. */
export interface PushTarget {
  readonly host: string;
  readonly login?: Login | undefined;
  /** Whether it speaks HTTP without TLS. */
  readonly isPlain?: boolean | undefined;
}

/**
 * Puts images into a registry and takes them out again, in the plainest way the protocol allows and without a line of
 * the client that is tested with them.
 */
export class PlainPush {
  readonly #target: PushTarget;
  readonly #origin: string;
  readonly #placed = new Set<string>();
  readonly #tokens = new Map<string, Promise<string>>();

  constructor(target: PushTarget) {
    this.#target = target;
    this.#origin = `${target.isPlain === true ? 'http' : 'https'}://${target.host}`;
  }

  /** Pushes all of an image, the tag last. */
  async push(repository: string, tag: string, image: Image): Promise<void> {
    await Promise.all([...image.blobs].map(([digest, bytes]) => this.#pushBlob(repository, digest, bytes)));
    await Promise.all(image.children.map((child) => this.#pushManifest(repository, child.digest, child)));
    await this.#pushManifest(repository, tag, image);
  }

  /** Deletes a manifest with all its tags. */
  async remove(repository: string, digest: Digest): Promise<void> {
    await this.#send(repository, 'DELETE', `/v2/${repository}/manifests/${digest}`, 202);
  }

  /** Returns the tags of a repository in order; none when it does not exist. */
  async tags(repository: string): Promise<string[]> {
    const answer = await this.#send(repository, 'GET', `/v2/${repository}/tags/list`, [200, 404]);
    const { tags }: { tags?: string[] } = JSON.parse(await answer.text());
    return (tags ?? []).toSorted();
  }

  /** Returns what a tag or digest holds; undefined when there is nothing. */
  async digestOf(repository: string, name: string): Promise<string | undefined> {
    const path = `/v2/${repository}/manifests/${name}`;
    const accept =
      'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json';
    const answer = await this.#send(repository, 'HEAD', path, [200, 404], { headers: { accept } });
    return answer.status === 200 ? (answer.headers.get('docker-content-digest') ?? undefined) : undefined;
  }

  /** Returns whether a repository holds a blob. */
  async holds(repository: string, digest: Digest): Promise<boolean> {
    const answer = await this.#send(repository, 'HEAD', `/v2/${repository}/blobs/${digest}`, [200, 404]);
    return answer.status === 200;
  }

  async #pushBlob(repository: string, digest: Digest, bytes: Buffer): Promise<void> {
    const key = `${repository} ${digest}`;
    if (this.#placed.has(key)) return;
    const opened = await this.#send(repository, 'POST', `/v2/${repository}/blobs/uploads/`, 202);
    const location = new URL(opened.headers.get('location') ?? '', opened.url);
    location.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream' };
    await this.#send(repository, 'PUT', location.href, 201, { headers, body: new Uint8Array(bytes) });
    this.#placed.add(key);
  }

  async #pushManifest(repository: string, name: string, manifest: ImageManifest): Promise<void> {
    const headers = { 'content-type': manifest.mediaType };
    const body = new Uint8Array(manifest.bytes);
    await this.#send(repository, 'PUT', `/v2/${repository}/manifests/${name}`, 201, { headers, body });
  }

  async #send(
    repository: string,
    method: string,
    path: string,
    expected: number | readonly number[],
    more: { headers?: Record<string, string>; body?: Uint8Array<ArrayBuffer> } = {},
  ): Promise<Response> {
    const url = new URL(path, this.#origin);
    const authorization = await this.#authorization(repository);
    const headers = { ...more.headers, ...(authorization === '' ? {} : { authorization }) };
    const answer = await fetch(url, {
      method,
      headers,
      ...(more.body === undefined ? {} : { body: more.body }),
    });
    if ([expected].flat().includes(answer.status)) return answer;
    throw new Error(`${method} ${url.pathname}: ${answer.status} ${await answer.text()}`);
  }

  #authorization(repository: string): Promise<string> {
    const known = this.#tokens.get(repository) ?? this.#logIn(repository);
    this.#tokens.set(repository, known);
    return known;
  }

  async #logIn(repository: string): Promise<string> {
    const { login } = this.#target;
    if (login === undefined) return '';
    const basic = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
    const ping = await fetch(`${this.#origin}/v2/`);
    const challenge = ping.headers.get('www-authenticate') ?? '';
    const realm = /^Bearer realm="([^"]+)"/.exec(challenge)?.[1];
    if (realm === undefined) return basic;
    const scope = `repository:${repository}:pull,push,delete`;
    const answer = await fetch(`${realm}?scope=${scope}`, { headers: { authorization: basic } });
    const { token }: { token?: string } = JSON.parse(await answer.text());
    return `Bearer ${token}`;
  }
}
