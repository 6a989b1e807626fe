import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { failureCode } from '../lib/failure.ts';
import { discardBody, type HttpAnswer, type HttpClient, readBody } from '../lib/http/http.ts';
import { explainNetworkError, HttpFailure } from '../lib/http/http-failure.ts';
import { followAddress, followRedirects } from '../lib/http/redirect.ts';
import { isTransientStatus } from '../lib/http/transient-status.ts';
import { parseJson } from '../lib/json.ts';
import { PROCESS_MASK } from './process-mask.ts';
import { damagedArchive } from './state-archive.ts';

/** What to look for: the newest entry of exactly these paths whose key begins with one of the prefixes. */
interface CacheQuestion {
  readonly paths: readonly string[];
  readonly key: string;
  /** The best first. */
  readonly prefixes: readonly string[];
}

/** An entry that was found. */
interface CacheEntry {
  readonly key: string;
  readonly address: URL;
  readonly compression: Compression;
}

/** The toolkit's names for compressions, which are part of the identity of an entry. */
type Compression = 'gzip' | 'zstd-without-long';

/** The address of the service, and which of its two protocols it uses. */
interface CacheAddress {
  readonly protocol: 'v1' | 'v2';
  readonly url: string;
}

/** An answer with one entry has a few hundred bytes. */
const ANSWER_LIMIT = 64 * 1024;
/** A state of 100,000 tags takes about 5 MB. */
const ARCHIVE_LIMIT = 64 * 1024 * 1024;
/** 8 MiB, as much as zstd needs at its level 19; the toolkit uses level 3. */
const WINDOW_LOG_LIMIT = 23;
const ZSTD_TIME_LIMIT = 5000;
const SALT = '1.0';

const AnswerV2 = z.object({
  ok: z.boolean().default(false),
  signed_download_url: z.string().default(''),
  matched_key: z.string().default(''),
});
const AnswerV1 = z.object({ archiveLocation: z.string(), cacheKey: z.string() });
const Complaint = z.object({ msg: z.string().optional(), message: z.string().optional() });

/**
 * Returns where the Actions cache is, as GitHub's toolkit finds it; undefined if there is none, or if this run cannot
 * read it.
 */
export function cacheAddress(environment: NodeJS.ProcessEnv): CacheAddress | undefined {
  const { ACTIONS_CACHE_MODE: mode = '', ACTIONS_CACHE_SERVICE_V2: isNew = '' } = environment;
  const { ACTIONS_RESULTS_URL: results = '', ACTIONS_CACHE_URL: old = '' } = environment;
  if (['none', 'write-only'].includes(mode.trim().toLowerCase())) return undefined;
  const protocol = isNew !== '' && !isEnterpriseServer(environment) ? 'v2' : 'v1';
  const url = protocol === 'v2' ? results : old;
  return URL.canParse(url) ? { protocol, url } : undefined;
}

/** GitHub Enterprise Server only has the old protocol, even if its runners announce the new one. */
function isEnterpriseServer({
  GITHUB_SERVER_URL: server = 'https://github.com',
}: NodeJS.ProcessEnv): boolean {
  const host = URL.canParse(server) ? new URL(server).hostname : '';
  return host !== 'github.com' && !host.endsWith('.ghe.com') && !host.endsWith('.localhost');
}

/**
 * Asks the Actions cache for an entry and returns it; undefined if there is none. Throws `HttpFailure` or the signal's
 * reason. GitHub's toolkit cannot look up an entry without fetching and unpacking it with `tar -P`.
 */
export async function findCacheEntry(
  http: Pick<HttpClient, 'send'>,
  { protocol, url }: CacheAddress,
  { paths, key, prefixes }: CacheQuestion,
  signal: AbortSignal,
): Promise<CacheEntry | undefined> {
  const compression = await compressionHere(signal);
  const version = createHash('sha256')
    .update(
      [...paths, compression, ...(process.platform === 'win32' ? ['windows-only'] : []), SALT].join('|'),
    )
    .digest('hex');
  const authorization = `Bearer ${process.env['ACTIONS_RUNTIME_TOKEN'] ?? ''}`;
  const headers = { authorization, 'user-agent': 'keel-pkg' };
  if (protocol === 'v2') {
    const body = JSON.stringify({ key, restore_keys: prefixes, version });
    const answer = await http.send({
      method: 'POST',
      url: new URL('/twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL', url),
      headers: { ...headers, 'content-type': 'application/json' },
      body: Buffer.from(body),
      signal,
    });
    const { ok, signed_download_url: address, matched_key: found } = await read(answer, AnswerV2);
    return ok ? entryAt(address, found, compression) : undefined;
  }
  const keys = encodeURIComponent([key, ...prefixes].join(','));
  const answer = await http.send({
    method: 'GET',
    url: new URL(`${url}_apis/artifactcache/cache?keys=${keys}&version=${version}`),
    headers: { ...headers, accept: 'application/json;api-version=6.0-preview.1' },
    signal,
  });
  if (answer.status === 204) {
    discardBody(answer);
    return undefined;
  }
  const { archiveLocation, cacheKey } = await read(answer, AnswerV1);
  return entryAt(archiveLocation, cacheKey, compression);
}

/**
 * Returns the archive of an entry, unpacked during the read. No login is sent to its address, which is signed. Throws
 * `HttpFailure`, `ARCHIVE_UNREADABLE`, or the signal's reason.
 */
export async function openCacheEntry(
  http: Pick<HttpClient, 'send'>,
  { address: asked, compression }: CacheEntry,
  signal: AbortSignal,
): Promise<AsyncIterable<Buffer>> {
  const headers = { 'user-agent': 'keel-pkg' };
  const answer = await followRedirects(
    { method: 'GET', url: asked },
    (url) => http.send({ method: 'GET', url, headers, awaited: 'content', isOwnCoding: () => true, signal }),
    (from, location) => followAddress(from, location, asked),
  );
  if (answer === undefined) throw serverFailure(asked, 'it redirects without end');
  if (answer.status !== 200) throw await refusal(answer);
  const unpacker =
    compression === 'gzip'
      ? createGunzip()
      : createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_LIMIT } });
  const limited = async function* (archive: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let length = 0;
    for await (const piece of archive) {
      length += piece.length;
      if (length > ARCHIVE_LIMIT) throw serverFailure(asked, 'its archive is too large for a state');
      yield piece;
    }
  };
  // The reader of the stream gets the errors.
  return explained(
    pipeline(answer.body, limited, unpacker, () => undefined),
    asked.host,
  );
}

async function* explained(unpacked: AsyncIterable<Buffer>, host: string): AsyncGenerator<Buffer> {
  try {
    yield* unpacked;
  } catch (error) {
    const code = failureCode(error);
    if (/^(?:Z_|ZSTD_|ERR__ZSTD)/.test(code)) throw damagedArchive(`it is damaged (${code})`, error);
    throw explainNetworkError(error, host);
  }
}

function entryAt(address: string, key: string, compression: Compression): CacheEntry {
  if (!URL.canParse(address)) throw new Error('the cache returned no address for its entry');
  const url = new URL(address);
  // The signature of an address works like a login.
  for (const [name, value] of url.searchParams) if (name === 'sig') PROCESS_MASK.hidePassword(value);
  return { key, address: url, compression };
}

async function read<Answer>(answer: HttpAnswer, form: z.ZodType<Answer>): Promise<Answer> {
  if (answer.status !== 200) throw await refusal(answer);
  const body = await readBody(answer, ANSWER_LIMIT);
  const parsed = form.safeParse(body === undefined ? undefined : parseJson(body));
  if (!parsed.success) throw serverFailure(answer.url, 'this is not the answer of a cache');
  return parsed.data;
}

async function refusal(answer: HttpAnswer): Promise<HttpFailure> {
  const body = await readBody(answer, ANSWER_LIMIT).catch(() => undefined);
  const { msg, message } = Complaint.safeParse(parseJson(body ?? '')).data ?? {};
  const said = msg ?? message;
  return serverFailure(
    answer.url,
    `answered with status ${answer.status}${said === undefined ? '' : `: ${said}`}`,
    answer.status,
  );
}

function serverFailure({ host }: URL, message: string, status = 0): HttpFailure {
  return new HttpFailure({
    code: status >= 500 ? 'SERVER_BROKEN' : 'SERVER_REFUSED',
    about: host,
    message,
    status,
    transient: isTransientStatus(status),
  });
}

/** Returns how the toolkit packs on this machine: with zstd if it is installed. */
function compressionHere(signal: AbortSignal): Promise<Compression> {
  return new Promise((resolve) => {
    const options = { signal, timeout: ZSTD_TIME_LIMIT };
    execFile('zstd', ['--quiet', '--version'], options, (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`.trim() === '' ? 'gzip' : 'zstd-without-long'),
    );
  });
}
