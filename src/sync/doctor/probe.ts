import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../lib/failure.ts';
import { type BodyWriter, discardBody } from '../../lib/http/http.ts';
import { HttpFailure, isAnswerFailure } from '../../lib/http/http-failure.ts';
import { joinWords } from '../../lib/text/sentence.ts';
import { formatSize } from '../../lib/text/size.ts';
import { deleteScope, pushScope } from '../../registry/auth/scope.ts';
import { pushBlob } from '../../registry/blob/blob-push.ts';
import { cancelUpload, openUpload, patchChunk } from '../../registry/blob/blob-upload.ts';
import { LEAST_CHUNK_BYTES } from '../../registry/blob/push-habits.ts';
import type { Manifest } from '../../registry/oci/manifest.ts';
import type { Repository } from '../../registry/oci/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { isRefusedQuestion } from '../../registry/registry-failure.ts';
import { repeatedly } from '../run/preflight.ts';
import { doubtful, type Finding, fine } from './diagnosis.ts';
import { makeProbeImage, type ProbeImage } from './probe-image.ts';

const FORMAT_NAMES: Readonly<Record<'OCI' | 'Docker', string>> = {
  OCI: 'the OCI format',
  Docker: "Docker's format",
};

const TOO_LARGE = 413;
/** More than registries that name a least size for parts ask for. */
const MOST_CHUNK_BYTES = 16 * 1024 * 1024;

const WHOLE_ONLY =
  'layers go whole at first; one that is too large for that, or that breaks off on the way, may fail';

/** Checks a destination by pushing a tiny image without a tag and deleting it. */
export class Probe {
  readonly #target: Registry;
  readonly #repository: Repository;
  readonly #signal: AbortSignal;
  readonly #manifests: Manifest[] = [];
  #image: ProbeImage | undefined;
  #areBlobsThere = false;

  constructor(target: Registry, repository: Repository, signal: AbortSignal) {
    this.#target = target;
    this.#repository = repository;
    this.#signal = signal;
  }

  /**
   * Sends as much as a run sends at least of a large layer, and cancels that. Throws `REGISTRY_REFUSED` if the registry,
   * or a proxy in front of it, takes no request of that size. Other failures are only told: layers go whole at first.
   */
  async sendChunk(): Promise<Finding> {
    const target = this.#target;
    const signal = this.#signal;
    let isOpen = false;
    const send = async (): Promise<number> => {
      isOpen = false;
      const upload = await openUpload(target, this.#repository, signal);
      if (typeof upload !== 'object') return 0;
      isOpen = true;
      try {
        const size = Math.min(Math.max(LEAST_CHUNK_BYTES, upload.smallestChunk), MOST_CHUNK_BYTES);
        const body: BodyWriter = (sink, stop) =>
          pipeline(Readable.from([Buffer.alloc(size)]), sink, { signal: stop });
        await patchChunk(target, upload, { start: 0, end: size }, body, signal);
        return size;
      } finally {
        await cancelUpload(target, upload);
      }
    };
    try {
      const size = await this.#repeatedly(send);
      return fine(`a request of ${formatSize(size)} arrives`);
    } catch (error) {
      signal.throwIfAborted();
      const isTooLarge = error instanceof HttpFailure && error.status === TOO_LARGE;
      if (!isOpen || isTooLarge || !(error instanceof HttpFailure)) throw error;
      if (isRefusedQuestion(error)) return fine('it takes layers only whole, whose size no request shows');
      return doubtful(`it takes no part of a layer: ${error.message}`, WHOLE_ONLY);
    }
  }

  /** Pushes the blobs, and tries to mount one of them from the same repository. */
  async pushLayer(): Promise<Finding> {
    const { blobs } = await this.#probeImage();
    this.#areBlobsThere = true;
    for (const { descriptor, source } of blobs) {
      await pushBlob({
        registry: this.#target,
        repository: this.#repository,
        descriptor,
        sources: () => [source],
        isAbsent: false,
        signal: this.#signal,
      });
    }
    const [first] = blobs;
    if (first === undefined) return fine('a layer arrives');
    const mount = { digest: first.descriptor.digest, from: this.#repository };
    const opened = await this.#repeatedly(() =>
      openUpload(this.#target, this.#repository, this.#signal, mount),
    );
    if (opened === 'mounted')
      return fine('a layer arrives, and a mount tells in one request that it is there');
    if (typeof opened === 'object') await cancelUpload(this.#target, opened);
    return fine('a layer arrives; whether one is there already takes a request more, as it does not mount');
  }

  /** Pushes an image and an index of both families, by their digests. */
  async pushManifests(): Promise<Finding> {
    const { families } = await this.#probeImage();
    const taken: string[] = [];
    const refused: { readonly name: string; readonly reason: string }[] = [];
    for (const { name, image, index } of families) {
      for (const [form, manifest] of [
        ['image', image],
        [name === 'OCI' ? 'index' : 'list', index],
      ] as const) {
        const reason = await this.#refusalOf(manifest);
        if (reason === undefined) taken.push(`${name} ${form}`);
        else refused.push({ name: `${name} ${form}`, reason });
      }
    }
    if (refused.length === 0) return fine(`it takes ${joinWords(taken)}`);
    const names = joinWords(refused.map((each) => each.name));
    const message = `it refuses ${names}: ${refused[0]?.reason ?? ''}`;
    const format = families.find(({ name }) => !refused.some((each) => each.name.startsWith(name)))?.name;
    const hint =
      format !== undefined
        ? `images are converted to ${FORMAT_NAMES[format]} on their way; their digests there differ, and signatures do not fit`
        : `images in ${refused.length === 1 ? 'this format' : 'these formats'} will fail; update the registry`;
    if (taken.length > 0) return doubtful(message, hint);
    const about = `${this.#target.host}/${this.#repository}`;
    throw new Failure({ code: 'FORMATS_REFUSED', about, message, hint });
  }

  /** Deletes what was pushed. Says what the registry does not delete. */
  async remove(): Promise<Finding> {
    const left = await this.withdraw();
    return left === undefined ? fine('the trial image was deleted again') : fine(left);
  }

  /**
   * Deletes what was pushed, the index before its images. Returns what stays in words; undefined if nothing does.
   * `target` and `signal` are others than those of the pushes if these were aborted.
   */
  async withdraw(target = this.#target, signal = this.#signal): Promise<string | undefined> {
    const manifests = this.#manifests.toReversed();
    const blobs = this.#areBlobsThere ? (await this.#probeImage()).blobs : [];
    let left = 0;
    for (const { digest, bytes } of manifests) {
      if (!(await this.#delete(target, `manifests/${digest}`, signal))) left += bytes.length;
    }
    // The blobs of a manifest that stays must stay too.
    for (const { descriptor } of blobs) {
      const isGone = left === 0 && (await this.#delete(target, `blobs/${descriptor.digest}`, signal));
      if (!isGone) left += descriptor.size;
    }
    if (left === 0) return undefined;
    const where = `${target.host}/${this.#repository}`;
    return `${where} keeps the trial image, ${formatSize(left)} without a tag, until the registry cleans up`;
  }

  #repeatedly<Result>(operation: () => Promise<Result>): Promise<Result> {
    return repeatedly(this.#target, this.#signal, operation);
  }

  async #probeImage(): Promise<ProbeImage> {
    this.#image ??= await makeProbeImage();
    return this.#image;
  }

  async #refusalOf(manifest: Manifest): Promise<string | undefined> {
    try {
      // Before the answer: if it never comes, the manifest may be there all the same, and has to be deleted.
      this.#manifests.push(manifest);
      await this.#target.putManifest(this.#repository, manifest.digest, manifest, this.#signal);
      return undefined;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!isAnswerFailure(error) || error.transient) throw error;
      this.#manifests.pop();
      return error.message;
    }
  }

  async #delete(target: Registry, path: string, signal: AbortSignal): Promise<boolean> {
    try {
      const answer = await target.send({
        method: 'DELETE',
        url: target.url(`/v2/${this.#repository}/${path}`),
        scopes: [pushScope(this.#repository), deleteScope(this.#repository)],
        expected: [200, 202, 204, 404],
        about: `${target.host}/${this.#repository}`,
        action: 'delete the trial image',
        signal,
      });
      discardBody(answer);
      return true;
    } catch {
      // Many registries let nobody delete, or only administrators. The finding says what stays.
      signal.throwIfAborted();
      return false;
    }
  }
}
