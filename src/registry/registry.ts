import { Failure } from '../lib/failure.ts';
import { discardBody, type HttpAnswer, readBody } from '../lib/http/http.ts';
import { HttpFailure } from '../lib/http/http-failure.ts';
import { pullScope, pushScope, type Scope } from './authorization.ts';
import { LIST_LIMITS, readPages } from './list-pages.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from './oci/digest.ts';
import { type Descriptor, MANIFEST_SIZE_LIMIT, type Manifest, parseManifest } from './oci/manifest.ts';
import { MANIFEST_ACCEPT } from './oci/media-type.ts';
import type { Repository, Tag } from './oci/reference.ts';
import { isNotFound } from './registry-failure.ts';
import { RegistryHost } from './registry-host.ts';
import { joinTagLists, parseCatalogue, parseTagList, type TagList } from './tag-list.ts';
import type { Exchange } from './transport.ts';

const PAGE_SIZE = 1000;

/** Part of a blob: from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What is read into memory as a blob: configurations and signatures. */
const SMALL_BLOB_LIMIT = 16 * 1024 * 1024;

/** One registry, one method an endpoint of the distribution protocol (distribution-spec 1.1, "Endpoints"). */
export class Registry extends RegistryHost {
  /** Lists the tags of a repository, or with `undefined` the root of a registry with Google's extension. */
  listTags(repository: Repository | undefined, signal: AbortSignal): Promise<TagList> {
    const path = repository === undefined ? '/v2/tags/list' : `/v2/${repository}/tags/list`;
    const list = {
      path,
      scopes: repository === undefined ? [] : [pullScope(repository)],
      about: repository === undefined ? this.host : `${this.host}/${repository}`,
      action: 'list its tags',
    };
    return this.asMetadata(signal, async () => {
      const pages = await this.#readPages(list, signal, parseTagList);
      return joinTagLists(pages);
    });
  }

  /** Lists all repositories by `_catalog`; `undefined` where the registry does not offer that, or not to us. */
  async listRepositories(signal: AbortSignal): Promise<Repository[] | undefined> {
    const scopes: Scope[] = ['registry:catalog:*'];
    const list = { path: '/v2/_catalog', scopes, about: this.host, action: 'list its repositories' };
    try {
      const pages = await this.asMetadata(signal, () => this.#readPages(list, signal, parseCatalogue));
      return [...new Set(pages.flat())];
    } catch (error) {
      // Without a status it is what came that cannot be used.
      const isRefused = error instanceof HttpFailure && !error.transient && error.status !== undefined;
      if (isRefused) return undefined;
      throw error;
    }
  }

  /** Returns a manifest with the bytes as sent. Throws `NOT_FOUND`, and `DIGEST_MISMATCH` for another than asked for. */
  getManifest(repository: Repository, name: Tag | Digest, signal: AbortSignal): Promise<Manifest> {
    const about = this.nameOf(repository, name);
    return this.asMetadata(signal, async () => {
      const answer = await this.send({
        ...this.#manifestExchange('GET', repository, name, signal),
        action: 'get its manifest',
        expected: [200],
      });
      const bytes = await readBody(answer, MANIFEST_SIZE_LIMIT);
      if (bytes === undefined) {
        const message = 'its manifest is larger than the 4 MiB that registries take';
        throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message });
      }
      const algorithm = isDigest(name) ? digestAlgorithm(name) : 'sha256';
      if (isDigest(name) && digestOf(bytes, algorithm) !== name) {
        const message = `its manifest has another digest than asked for, ${digestOf(bytes, algorithm)}`;
        throw new HttpFailure({ code: 'DIGEST_MISMATCH', about, message, transient: true });
      }
      try {
        return parseManifest(bytes, answer.headers['content-type'], about, algorithm);
      } catch (error) {
        const isDamaged = error instanceof Failure && error.cause instanceof SyntaxError;
        if (isDigest(name) || !isDamaged) throw error;
        // Asked for by a tag, nothing but its form shows that it was cut on its way, or came from a proxy.
        const message = 'what came is no manifest, not even JSON';
        throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, transient: true, cause: error });
      }
    });
  }

  /** Returns the digest of a manifest without its body, or `undefined` when it does not exist. */
  async findManifest(
    repository: Repository,
    name: Tag | Digest,
    signal: AbortSignal,
  ): Promise<Digest | undefined> {
    const answer = await this.asMetadata(signal, async () => {
      const head = await this.send({
        ...this.#manifestExchange('HEAD', repository, name, signal),
        action: 'ask for its manifest',
        // Huawei SWR knows no HEAD here, and Artifactory says 403 for what is absent.
        expected: [200, 403, 404, 405],
      });
      discardBody(head);
      return head;
    });
    if (answer.status === 404) return undefined;
    const digest = answer.headers['docker-content-digest'];
    if (answer.status === 200 && typeof digest === 'string' && isDigest(digest)) return digest;
    try {
      return (await this.getManifest(repository, name, signal)).digest;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Stores a manifest under a tag or its digest, bytes untouched. Throws `CONTENT_UNKNOWN` when parts are missing. */
  putManifest(
    repository: Repository,
    name: Tag | Digest,
    manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>,
    signal: AbortSignal,
  ): Promise<void> {
    const about = this.nameOf(repository, name);
    return this.asMetadata(signal, async () => {
      const answer = await this.send({
        method: 'PUT',
        url: this.#manifestUrl(repository, name),
        scopes: [pushScope(repository)],
        headers: { 'content-type': manifest.mediaType },
        body: manifest.bytes,
        expected: [200, 201, 202],
        about,
        action: 'push its manifest',
        writes: 'manifest',
        signal,
      });
      discardBody(answer);
      const stored = answer.headers['docker-content-digest'];
      const isOther = typeof stored === 'string' && isDigest(stored) && stored !== manifest.digest;
      if (isOther && digestAlgorithm(stored) === digestAlgorithm(manifest.digest)) {
        const message = `the registry stored another digest, ${stored}`;
        throw new HttpFailure({ code: 'DIGEST_MISMATCH', about, message });
      }
    });
  }

  /** Returns whether a repository holds a blob. */
  hasBlob(repository: Repository, digest: Digest, signal: AbortSignal): Promise<boolean> {
    return this.asMetadata(signal, async () => {
      const answer = await this.send({
        method: 'HEAD',
        url: this.url(`/v2/${repository}/blobs/${digest}`),
        scopes: [pullScope(repository)],
        expected: [200, 404],
        about: this.nameOf(repository, digest),
        action: 'ask for a layer',
        signal,
      });
      discardBody(answer);
      return answer.status === 200;
    });
  }

  /**
   * Opens a blob for reading, whole or `range` of it, following redirects; only the answer's range is checked. It
   * takes no slot and tries once: it is part of a transfer.
   */
  async openBlob(
    repository: Repository,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal,
    range?: ByteRange,
  ): Promise<HttpAnswer> {
    const about = this.nameOf(repository, descriptor.digest);
    const answer = await this.send({
      method: 'GET',
      url: this.url(`/v2/${repository}/blobs/${descriptor.digest}`),
      scopes: [pullScope(repository)],
      ...(range === undefined ? {} : { headers: { range: `bytes=${range.start}-${range.end - 1}` } }),
      expected: [range === undefined ? 200 : 206],
      about,
      action: 'fetch a layer',
      signal,
    });
    const sent = answer.headers['content-range'];
    if (range === undefined || sent === undefined || sent.startsWith(`bytes ${range.start}-`)) return answer;
    answer.body.destroy();
    const message = 'the registry answered with another part of a layer than asked for';
    throw new HttpFailure({ code: 'REGISTRY_BROKEN', about, message, transient: true });
  }

  /** Reads a small blob into memory, checked by size and digest. Throws `DIGEST_MISMATCH`. */
  readBlob(repository: Repository, descriptor: Descriptor, signal: AbortSignal): Promise<Buffer> {
    return this.asMetadata(signal, async () => {
      const answer = await this.openBlob(repository, descriptor, signal);
      const bytes = await readBody(answer, Math.min(descriptor.size, SMALL_BLOB_LIMIT));
      if (bytes !== undefined && digestOf(bytes, digestAlgorithm(descriptor.digest)) === descriptor.digest) {
        return bytes;
      }
      const about = this.nameOf(repository, descriptor.digest);
      const message = 'its content does not have this digest';
      throw new HttpFailure({ code: 'DIGEST_MISMATCH', about, message, transient: true });
    });
  }

  #readPages<Page>(
    list: Pick<Exchange, 'scopes' | 'about' | 'action'> & { readonly path: string },
    signal: AbortSignal,
    parse: (body: Buffer, about: string) => Page,
  ): Promise<Page[]> {
    const { path, ...exchange } = list;
    const send = (url: URL) => this.send({ ...exchange, method: 'GET', url, expected: [200], signal });
    const first = this.url(`${path}?n=${PAGE_SIZE}`);
    return readPages({ first, about: list.about, limits: LIST_LIMITS }, this.endpoint, send, parse);
  }

  #manifestExchange(method: 'GET' | 'HEAD', repository: Repository, name: Tag | Digest, signal: AbortSignal) {
    return {
      method,
      url: this.#manifestUrl(repository, name),
      scopes: [pullScope(repository)],
      headers: { accept: MANIFEST_ACCEPT },
      about: this.nameOf(repository, name),
      signal,
    };
  }

  #manifestUrl(repository: Repository, name: Tag | Digest): URL {
    return this.url(`/v2/${repository}/manifests/${name}`);
  }
}
