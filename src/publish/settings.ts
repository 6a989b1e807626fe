import { FlagReader, type FlagSource } from '../config/flags/flag-reader.ts';
import { malformed, oneOf, parseSwitch } from '../config/flags/flag-value.ts';
import type { Failure } from '../lib/failure.ts';
import { parseReference, parseTag, type Reference, type Tag } from '../registry/oci/reference.ts';
import { PUBLISH_FLAGS, type PublishFlagName } from './flags.ts';
import { parseZone, type Zone } from './qiniu/zone.ts';
import { parseTargetWords, type TargetWord } from './target-word.ts';

/** What goes to a bucket of Qiniu. */
export interface QiniuChoice {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  readonly zone: Zone | undefined;
  readonly endpoint: URL | undefined;
}

/** What goes to a registry. */
export interface ImageChoice {
  /** Host and repository, without tag. */
  readonly repository: Reference;
  readonly form: 'image' | 'artifact';
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** What goes to a release on GitHub. */
export interface ReleaseChoice {
  readonly repository: string;
  readonly token: string;
  readonly tag: Tag | undefined;
  readonly api: URL;
}

/** Where a package goes. What a target needs is there exactly when its word is among `targets`. */
export interface PublishSettings {
  readonly targets: readonly TargetWord[];
  readonly overwrite: boolean;
  readonly qiniu: QiniuChoice | undefined;
  readonly image: ImageChoice | undefined;
  readonly release: ReleaseChoice | undefined;
}

/** Settings with what the user should be told about them, or everything that is wrong with them. */
export type ParsedPublishSettings =
  | { readonly ok: true; readonly settings: PublishSettings; readonly notices: readonly string[] }
  | { readonly ok: false; readonly failures: readonly Failure[]; readonly notices: readonly string[] };

const PUBLIC_API = 'https://api.github.com';
const DEFAULT_IMAGE_NAME = 'keel-pkg';

/** Reads where a package goes from flags or inputs, and reports all that is wrong or missing at once. */
export function parsePublishSettings(from: FlagSource): ParsedPublishSettings {
  const flags = new FlagReader<PublishFlagName>(PUBLISH_FLAGS, from);
  const chosen = parseTargetWords(flags.text('repo') ?? '');
  const wants = (word: TargetWord): boolean => chosen.words.includes(word);
  const settings: PublishSettings = {
    targets: chosen.words,
    overwrite: flags.optional('overwrite', parseSwitch) ?? false,
    qiniu: wants('qiniu') ? readQiniu(flags) : undefined,
    image: wants('dockerhub') ? readImage(flags) : undefined,
    release: wants('release') ? readRelease(flags, from.environment) : undefined,
  };
  if (flags.failures.length > 0) return { ok: false, failures: flags.failures, notices: chosen.warnings };
  return { ok: true, settings, notices: chosen.warnings };
}

function readQiniu(flags: FlagReader<PublishFlagName>): QiniuChoice | undefined {
  const hint = 'the Qiniu console shows both keys under key management';
  const accessKey = needed(flags, 'access-key', 'Qiniu', `set it or KEEL_ACCESS_KEY; ${hint}`);
  const secretKey = needed(flags, 'secret-key', 'Qiniu', `set it or KEEL_SECRET_KEY; ${hint}`);
  const bucket = flags.required('bucket', (text) => text);
  const zone = flags.optional('zone', parseZone);
  const endpoint = flags.optional('qiniu-endpoint', parseAddress);
  if (accessKey === undefined || secretKey === undefined) return undefined;
  return { accessKey, secretKey, bucket, zone, endpoint };
}

function readImage(flags: FlagReader<PublishFlagName>): ImageChoice | undefined {
  const username = flags.text('dockerhub-username');
  const password = flags.text('dockerhub-password');
  const form = flags.required('dockerhub-form', oneOf('image', 'artifact'));
  if (username !== undefined && password === undefined) {
    const hint = `give ${flags.label('dockerhub-password')} or KEEL_DOCKERHUB_PASSWORD`;
    flags.refuse('dockerhub-username', 'there is a user name but no password', hint);
  }
  const isGiven = flags.text('dockerhub-repository') !== undefined;
  const repository = isGiven
    ? flags.optional('dockerhub-repository', parseImageRepository)
    : username === undefined
      ? undefined
      : parseImageRepository(`${username}/${DEFAULT_IMAGE_NAME}`, flags.label('dockerhub-username'));
  if (repository === undefined && !isGiven) {
    const hint = 'write one such as me/keel-pkg or registry.example.com/me/keel-pkg';
    flags.refuse('dockerhub-repository', 'publishing to a registry needs a repository', hint);
  }
  return repository === undefined ? undefined : { repository, form, username, password };
}

function readRelease(
  flags: FlagReader<PublishFlagName>,
  environment: FlagSource['environment'],
): ReleaseChoice | undefined {
  const { GITHUB_API_URL } = environment;
  const token = needed(flags, 'github-token', 'a release', 'set it, KEEL_GITHUB_TOKEN or GITHUB_TOKEN');
  const repository = flags.optional('release-repository', parseGithubRepository);
  if (flags.text('release-repository') === undefined) {
    needed(flags, 'release-repository', 'a release', 'write the repository on GitHub as owner/name');
  }
  const tag = flags.optional('release-tag', parseTag);
  if (token === undefined || repository === undefined) return undefined;
  return { repository, token, tag, api: new URL(GITHUB_API_URL || PUBLIC_API) };
}

function needed(
  flags: FlagReader<PublishFlagName>,
  name: PublishFlagName,
  target: string,
  hint: string,
): string | undefined {
  // Keys have no white space, but files and secrets that hold them often end with a line end.
  const text = flags.text(name)?.trim() ?? '';
  if (text !== '') return text;
  flags.refuse(name, `publishing to ${target} needs it`, hint);
  return undefined;
}

function parseAddress(text: string, about: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw malformed(
    about,
    text,
    'is not an address',
    'write it with its scheme, such as https://uc.example.com',
  );
}

function parseImageRepository(text: string, about: string): Reference {
  const reference = parseReference(text);
  if (reference.tag === undefined && reference.digest === undefined) return reference;
  throw malformed(
    about,
    text,
    'has a tag or digest',
    'leave it out: the tag is made from the name of the package',
  );
}

function parseGithubRepository(text: string, about: string): string {
  if (/^[\w.-]+\/[\w.-]+$/.test(text)) return text;
  throw malformed(about, text, 'is not a repository on GitHub', 'write owner/name');
}
