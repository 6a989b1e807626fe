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
const MEBIBYTE = 1024 * 1024;
/** More than the minimum size of parts that any registry names. */
const MOST_CHUNK_BYTES = 16 * MEBIBYTE;
/** If a request of this size does not arrive, no image does. */
const LEAST_TRIED_BYTES = 4 * 1024;

const WHOLE_ONLY =
  'synctl sync sends layers whole first; a layer that is too large for that, or whose transfer breaks off, may fail';

/** The result of sending a part of a layer. */
interface SentPart {
  /** In bytes; 0 if the registry opened no upload for it. */
  readonly size: number;
  readonly failure: HttpFailure | undefined;
}

/** Returns that requests of `refused` bytes do not arrive, and those of `taken` do. */
function tooLarge(refused: number, taken: number): Finding {
  const least = formatSize(refused);
  return {
    outcome: 'partial',
    message: `layers larger than ${formatSize(taken)} can fail: the registry accepts a request of that size, but refuses one of ${least} with ${TOO_LARGE}`,
    hint: `allow requests of ${least} or more at the registry, and at each proxy in front of it (nginx: client_max_body_size ${Math.ceil(refused / MEBIBYTE)}m)`,
  };
}

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
   * Sends the smallest part that a run sends of a large layer, and cancels the upload. The result is `partial` if the
   * registry, or a proxy in front of it, accepts only smaller requests. Throws `REGISTRY_REFUSED` if it does not accept
   * these either. Other failures are only warnings, because a run tries to send layers whole first.
   */
  async sendChunk(): Promise<Finding> {
    const { size, failure } = await this.#send((smallest) =>
      Math.min(Math.max(LEAST_CHUNK_BYTES, smallest), MOST_CHUNK_BYTES),
    );
    if (failure === undefined && size > 0) return fine(`it accepts a request of ${formatSize(size)}`);
    if (failure === undefined || (failure.status !== TOO_LARGE && isRefusedQuestion(failure)))
      return fine('it accepts layers only whole, so the limit of their size is unknown');
    if (failure.status !== TOO_LARGE)
      return doubtful(`it refuses parts of a layer: ${failure.message}`, WHOLE_ONLY);
    for (let less = size / 2; less >= LEAST_TRIED_BYTES; less /= 2) {
      const smaller = await this.#send(() => less);
      if (smaller.failure === undefined) return tooLarge(size, less);
    }
    throw failure;
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
    if (first === undefined) return fine('it accepts a small layer');
    const mount = { digest: first.descriptor.digest, from: this.#repository };
    const opened = await this.#repeatedly(() =>
      openUpload(this.#target, this.#repository, this.#signal, mount),
    );
    if (opened === 'mounted')
      return fine('it accepts a small layer, and one mount request shows that it exists');
    if (typeof opened === 'object') await cancelUpload(this.#target, opened);
    return fine(
      'it accepts a small layer; it does not mount layers, so each layer needs one more request that shows whether it exists',
    );
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
    if (refused.length === 0) return fine(`it accepts ${joinWords(taken)}`);
    const names = joinWords(refused.map((each) => each.name));
    const message = `it refuses ${names}: ${refused[0]?.reason ?? ''}`;
    const format = families.find(({ name }) => !refused.some((each) => each.name.startsWith(name)))?.name;
    const hint =
      format !== undefined
        ? `images are converted to ${FORMAT_NAMES[format]} on push; their digests at the destination differ, and signatures do not match`
        : `images in ${refused.length === 1 ? 'this format' : 'these formats'} will fail; update the registry`;
    if (taken.length > 0) return doubtful(message, hint);
    const about = `${this.#target.host}/${this.#repository}`;
    throw new Failure({ code: 'FORMATS_REFUSED', about, message, hint });
  }

  /** Deletes what was pushed. Reports what the registry does not delete. */
  async remove(): Promise<Finding> {
    const left = await this.withdraw();
    return left === undefined ? fine('the trial image was deleted') : fine(left);
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

  /** Opens an upload, sends as many bytes as `sizeFor` returns for its smallest chunk, and cancels it. */
  async #send(sizeFor: (smallestChunk: number) => number): Promise<SentPart> {
    const target = this.#target;
    const signal = this.#signal;
    let size = 0;
    try {
      await this.#repeatedly(async () => {
        size = 0;
        const upload = await openUpload(target, this.#repository, signal);
        if (typeof upload !== 'object') return;
        size = sizeFor(upload.smallestChunk);
        const bytes = Buffer.alloc(size);
        const body: BodyWriter = (sink, stop) => pipeline(Readable.from([bytes]), sink, { signal: stop });
        try {
          await patchChunk(target, upload, { start: 0, end: size }, body, signal);
        } finally {
          await cancelUpload(target, upload);
        }
      });
      return { size, failure: undefined };
    } catch (failure) {
      signal.throwIfAborted();
      if (size === 0 || !(failure instanceof HttpFailure)) throw failure;
      return { size, failure };
    }
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
      // This comes before the answer: even if there is none, the manifest may be there, and has to be deleted.
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
      // Many registries let only administrators delete, or no one. The finding reports what stays.
      signal.throwIfAborted();
      return false;
    }
  }
}
