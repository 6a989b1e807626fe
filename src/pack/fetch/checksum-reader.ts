import { githubAuthorization, RELEASE_ANSWER_LIMIT } from '../../config/github-api.ts';
import type { UpstreamMirror } from '../../config/upstream-mirror.ts';
import { type Duration, formatDuration, seconds } from '../../lib/duration.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { type HttpClient, readBody } from '../../lib/http/http.ts';
import { HttpFailure, isConnectionFailure } from '../../lib/http/http-failure.ts';
import { type RetryPolicy, retry } from '../../lib/retry.ts';
import { formatSize } from '../../lib/text/size.ts';
import { redactUrl } from '../../registry/endpoint.ts';
import type { Digest } from '../../registry/oci/digest.ts';
import { CHECKSUM_FILE_LIMIT, findChecksum } from '../../upstream/fetch/checksum-file.ts';
import { explainBreak, openWebFile } from '../../upstream/fetch/web-file.ts';
import type { ChecksumSource } from '../plan/plan.ts';
import { findReleaseDigest } from './release-digest.ts';

/** A checksum that is published. */
interface PublishedChecksum {
  readonly digest: Digest;
  /** The address at which it was read. */
  readonly source: string;
  /** Why it comes from a mirror and not from upstream; undefined if it comes from upstream. */
  readonly mirrorOnly?: string | undefined;
}

/** The result if there is no checksum at a place, as far as the hosts answered. */
interface MissingChecksum {
  readonly digest?: undefined;
  /** Where packer looked for it, and which host did not answer, for people. */
  readonly looked: string;
  /** Whether a host that may have one did not answer. */
  readonly isUnanswered: boolean;
}

/** Upstream's answer about a checksum, or why there is none. */
type MakersWord =
  | { readonly digest: Digest | undefined }
  /** `isSilent` if there was no answer, not even a useless one. */
  | { readonly trouble: string; readonly isSilent: boolean };

interface ReaderSettings {
  readonly http: HttpClient;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal;
  /** A token of github.com, which is sent only to its API. */
  readonly githubToken?: string | undefined;
  /** Mirrors of upstream's files; upstream itself if undefined. */
  readonly mirror?: UpstreamMirror | undefined;
  /** How long packer waits for an upstream host if a mirror has its files. */
  readonly patience?: Duration | undefined;
}

const PATIENCE = seconds(5);

/** A mirror of github.com has no mirror of GitHub's API, which no mapping covers. */
const GITHUB = new URL('https://github.com/');

/** Object stores answer "denied" for what does not exist. */
const MISSING = ['NOT_FOUND', 'DENIED'];

function findWrittenChecksum(text: Buffer, fileName: string, about: string): Digest {
  return findChecksum(text.toString('utf8'), fileName, about);
}

/**
 * Throws an error of GitHub's API with a hint. The API answers some 60 requests an hour from one address, and then
 * sends 403. Some firewalls block it more often than the files.
 */
function throwExplained(error: unknown): void {
  if (!(error instanceof HttpFailure)) return;
  if (error.code === 'DENIED') {
    const hint =
      'GitHub allows few requests an hour without a token: set KEEL_GITHUB_TOKEN, try again later, or pin the download with "sha256"';
    throw error.with({ hint });
  }
  if (!isConnectionFailure(error)) return;
  const hints = error.hint === undefined ? [] : [error.hint];
  throw error.with({
    hint: [...hints, 'a download pinned with "sha256" needs no request for its checksum'].join('; '),
  });
}

/**
 * Reads published checksums. If a mirror has the files, packer still asks upstream for their checksums first, and the
 * mirror only if upstream does not answer soon. A host that did not answer is not asked again.
 */
export class ChecksumReader {
  readonly #settings: ReaderSettings;
  /** The upstream hosts that did not answer, each with what happened. */
  readonly #silent = new Map<string, string>();

  constructor(settings: ReaderSettings) {
    this.#settings = settings;
  }

  /**
   * Returns the checksum at a place, or where packer looked for it in vain. Throws why it cannot be read, or the
   * signal's reason. If the files of github.com have a mirror, its API may be unreachable, so packer waits for it only
   * briefly.
   */
  async find(source: ChecksumSource): Promise<PublishedChecksum | MissingChecksum> {
    const { mirror, signal, retry: policy } = this.#settings;
    const { url } = source;
    const isMapped = mirror?.isMapped(url) === true;
    const isBehindWall = isMapped || (source.form === 'release' && mirror?.isMapped(GITHUB) === true);
    const asked = isBehindWall ? await this.#askMaker(source) : undefined;
    if (asked !== undefined && 'digest' in asked) return foundAt(url, asked.digest);
    if (asked?.isSilent === true && !isMapped) return missingAt(url, asked.trouble);
    const place = isMapped ? mirror.map(url) : url;
    const digest = await this.#read(source, place, { policy, signal });
    if (!isMapped) return foundAt(place, digest);
    const mirrorOnly = asked?.trouble;
    return digest === undefined
      ? missingAt(place, mirrorOnly)
      : { ...publishedAt(place, digest), mirrorOnly };
  }

  /** Asks an upstream host once, and waits only briefly. */
  async #askMaker(source: ChecksumSource): Promise<MakersWord> {
    const { host } = source.url;
    const known = this.#silent.get(host);
    if (known !== undefined) return { trouble: known, isSilent: true };
    const { signal: whole, patience = PATIENCE, retry: policy } = this.#settings;
    const soon = AbortSignal.timeout(patience);
    const signal = AbortSignal.any([whole, soon]);
    try {
      const once = { policy: { ...policy, attempts: 1 }, signal, missing: ['NOT_FOUND'] };
      return { digest: await this.#read(source, source.url, once) };
    } catch (error) {
      whole.throwIfAborted();
      const isLate = soon.aborted;
      if (!isLate && !(error instanceof Failure)) throw error;
      const what =
        isLate || !(error instanceof Failure)
          ? `no answer within ${formatDuration(patience)}`
          : error.message;
      const trouble = `${host}: ${what}`;
      const isSilent = isLate || isConnectionFailure(error);
      if (isSilent) this.#silent.set(host, trouble);
      return { trouble, isSilent };
    }
  }

  async #read(
    source: ChecksumSource,
    url: URL,
    {
      policy,
      signal,
      missing = MISSING,
    }: {
      readonly policy: RetryPolicy;
      readonly signal: AbortSignal;
      /** The codes of failures that mean that there is no checksum. */
      readonly missing?: readonly string[] | undefined;
    },
  ): Promise<Digest | undefined> {
    const { http, githubToken } = this.#settings;
    const authorize = githubAuthorization(githubToken);
    try {
      return await retry({ policy, signal }, async () => {
        const answer = await openWebFile({ http, url, expected: [200], authorize, signal });
        const limit = source.form === 'release' ? RELEASE_ANSWER_LIMIT : CHECKSUM_FILE_LIMIT;
        const text = await readBody(answer, limit).catch((error: unknown) => {
          throw explainBreak(error, url, answer.url.host);
        });
        if (text === undefined) {
          const message = `it is larger than ${formatSize(limit)}, so it is not a list of checksums`;
          throw new HttpFailure({
            code: 'SIZE_MISMATCH',
            about: redactUrl(url),
            message,
            hint: 'pin the download with "sha256" in the versions file',
          });
        }
        const find = source.form === 'release' ? findReleaseDigest : findWrittenChecksum;
        return find(text, source.fileName, redactUrl(url));
      });
    } catch (error) {
      if (source.form === 'release') throwExplained(error);
      if (missing.includes(failureCode(error))) return undefined;
      throw error;
    }
  }
}

function publishedAt(url: URL, digest: Digest): PublishedChecksum {
  return { digest, source: redactUrl(url) };
}

function missingAt(url: URL, trouble?: string): MissingChecksum {
  const address = redactUrl(url);
  return trouble === undefined
    ? { looked: address, isUnanswered: false }
    : { looked: `${address} (${trouble})`, isUnanswered: true };
}

function foundAt(url: URL, digest: Digest | undefined): PublishedChecksum | MissingChecksum {
  return digest === undefined ? missingAt(url) : publishedAt(url, digest);
}
