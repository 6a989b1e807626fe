import fc from 'fast-check';
import { followAddress } from '../../src/lib/http/redirect.ts';
import { retryTime } from '../../src/lib/http/transient-status.ts';
import { parseChallenge } from '../../src/registry/auth/challenge.ts';
import { parseToken } from '../../src/registry/auth/token.ts';
import { Endpoint, redactUrl } from '../../src/registry/endpoint.ts';
import { parseErrorBody } from '../../src/registry/error-body.ts';
import { LIST_LIMITS, readPages } from '../../src/registry/list-pages.ts';
import { digestOf, isDigest, parseDigest } from '../../src/registry/oci/digest.ts';
import { formatPlatform, parsePlatform } from '../../src/registry/oci/platform.ts';
import {
  formatReference,
  isRepository,
  isTag,
  parseHost,
  parseReference,
  parseRepository,
  parseTag,
} from '../../src/registry/oci/reference.ts';
import { refusal } from '../../src/registry/refusal.ts';
import { joinTagLists, parseCatalogue, parseTagList } from '../../src/registry/tag-list.ts';
import { answerOf } from '../support/http-answer.ts';
import { anyText, hostile, hostileJson } from './inputs.ts';
import { type Property, property, require, unlessRefused } from './property.ts';

const HEX = 'a1'.repeat(32);
const REFERENCES = [
  'registry.k8s.io/kube-apiserver:v1.37.0',
  `localhost:5000/a/b__c--d:latest@sha256:${HEX}`,
  '[::1]:5000/x',
  'nginx',
  'docker.io/library/nginx@sha512:'.concat('0'.repeat(128)),
];
const CHALLENGES = [
  'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"',
  'Basic realm="a \\"quoted\\" realm", Bearer realm=https://x/y , service = z',
  'Negotiate, Basic realm=x',
];
const LINKS = [
  '</v2/a/tags/list?n=10&last=b>; rel="next"',
  '<https://e.org/v2/_catalog?last=x,y>; rel=next; title="a, <b>"',
  '</a>; rel=prev, </b>; REL="NEXT"',
];
const LIST = {
  name: 'pause',
  tags: ['3.9', 'v1', `sha256:${HEX}`],
  child: ['a', 'b-c'],
  manifest: { [`sha256:${HEX}`]: { mediaType: 'x', tag: ['3.9'], timeUploadedMs: '1700000000000' } },
};

async function isSafePath(text: string): Promise<void> {
  const url = new URL(`/v2/${text}/manifests/x`, 'https://registry.example');
  require(url.pathname === `/v2/${text}/manifests/x`, `the path of ${text} leads elsewhere: ${url.pathname}`);
  require(url.host === 'registry.example', 'the path leads to another host');
}

/** What holds for names and answers of registries, whatever they say. */
export const REGISTRY_PROPERTIES: readonly Property[] = [
  property(
    'a reference is refused, or read the same again when it was written',
    hostile(...REFERENCES),
    async (text) => {
      const reference = await unlessRefused(['REFERENCE_MALFORMED'], () => parseReference(text));
      if (reference === undefined) return;
      const again = parseReference(formatReference(reference));
      require(JSON.stringify(again) === JSON.stringify(reference), 'it is another reference');
      await isSafePath(reference.repository);
    },
  ),
  property(
    'hosts, repositories, tags and digests are refused, or harmless in an address',
    hostile(...REFERENCES, HEX),
    async (text) => {
      const host = await unlessRefused(['REFERENCE_MALFORMED'], () => parseHost(text));
      if (host !== undefined) require(new Endpoint(host, []).url.pathname === '/', 'a host has a path');
      const repository = await unlessRefused(['REFERENCE_MALFORMED'], () => parseRepository(text));
      require((repository !== undefined) === isRepository(text), 'repositories are read in two ways');
      if (repository !== undefined) await isSafePath(repository);
      const tag = await unlessRefused(['REFERENCE_MALFORMED'], () => parseTag(text));
      require((tag !== undefined) === isTag(text), 'tags are read in two ways');
      if (tag !== undefined) await isSafePath(tag);
      const digest = await unlessRefused(['DIGEST_MALFORMED'], () => parseDigest(text, 'test'));
      require((digest !== undefined) === isDigest(text), 'digests are read in two ways');
    },
  ),
  property(
    'a platform is refused, or read the same again when it was written',
    hostile('linux/amd64', 'linux/arm/v7'),
    async (text) => {
      const platform = await unlessRefused(['PLATFORM_MALFORMED'], () => parsePlatform(text, 'test'));
      if (platform === undefined) return;
      require(formatPlatform(parsePlatform(formatPlatform(platform), 'test')) ===
        formatPlatform(platform), 'it is another');
    },
  ),
  property(
    'the realm and service of a challenge are read as they were quoted',
    fc.tuple(fc.string({ maxLength: 200 }), fc.string({ maxLength: 200 })),
    ([realm, service]) => {
      const quoted = (text: string): string =>
        `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`;
      const challenge = parseChallenge(`Bearer realm=${quoted(realm)}, service=${quoted(service)}`);
      if (realm.trim() === '') {
        require(challenge === undefined, 'it leads nowhere');
        return;
      }
      require(challenge?.scheme === 'bearer', 'it is no challenge');
      require(challenge.realm === realm && challenge.service === service, 'they are others');
    },
  ),
  property(
    'any challenge is read without a complaint',
    fc.array(hostile(...CHALLENGES), { maxLength: 4 }),
    (headers) => {
      const challenge = parseChallenge(headers);
      require(challenge === undefined ||
        ['basic', 'bearer'].includes(challenge.scheme), 'it is of no scheme');
    },
  ),
  property(
    'the next page leads to HTTP, never down from HTTPS nor to this machine',
    hostile(...LINKS, ...CHALLENGES),
    async (text) => {
      const registry = new URL('https://registry.example/');
      const asked: URL[] = [];
      const send = async (url: URL) => {
        asked.push(url);
        return answerOf(url, asked.length === 1 ? { link: text } : {});
      };
      const list = {
        first: registry,
        about: 'test',
        limits: LIST_LIMITS,
        send,
        parse: () => undefined,
        entriesOf: () => [],
        attempt: <Result>(operation: () => Promise<Result>) => operation(),
      };
      await unlessRefused(['REDIRECT_REFUSED'], () => readPages(list, registry));
      const followed = await unlessRefused(['REDIRECT_REFUSED'], () =>
        followAddress(registry, text, registry),
      );
      for (const target of followed === undefined ? asked : [...asked, followed]) {
        require(target.protocol === 'https:', `it leads to ${target.protocol}`);
        require(!/^(?:localhost|127\.|\[::1\]|169\.254\.)/.test(
          target.hostname,
        ), `it leads to ${target.hostname}`);
        require(!redactUrl(target).includes(`${target.username || '\0'}@`), 'its user is shown');
      }
    },
  ),
  property('a list of tags is refused, or holds nothing but tags', hostileJson(LIST), async (text) => {
    const list = await unlessRefused(['REGISTRY_BROKEN'], () => parseTagList(Buffer.from(text), 'test'));
    if (list === undefined) return;
    const whole = joinTagLists([list, list]);
    require(whole.tags.every(isTag) && [...whole.manifests.keys()].every(isTag), 'it holds what is no tag');
    require(whole.children.every(isRepository), 'it holds a child that is no name');
  }),
  property(
    'a catalogue is refused, or holds nothing but repositories',
    hostileJson({ repositories: ['a/b', 'c'] }),
    async (text) => {
      const list = await unlessRefused(['REGISTRY_BROKEN'], () => parseCatalogue(Buffer.from(text), 'test'));
      require(list?.every(isRepository) !== false, 'it holds what is no repository');
    },
  ),
  property(
    'a token is refused, or fit for a header',
    hostileJson({ token: 'abc', expires_in: 300 }),
    (text) => {
      const token = parseToken(text);
      if (token instanceof Error) return;
      require(new Headers({ authorization: `Bearer ${token.token}` }).has('authorization'), 'it is not fit');
      require(token.seconds >= 60, `it lives ${token.seconds} seconds`);
    },
  ),
  property(
    'what a registry complains of is one short line, without control characters',
    hostileJson(
      { errors: [{ code: 'DENIED', message: 'no', detail: {} }] },
      { message: 'no' },
      { details: 'no' },
    ),
    (text) => {
      const errorBody = parseErrorBody(text);
      require(errorBody.text.length <= 300 && !/[\p{Cc}\u2028\u2029]/u.test(errorBody.text), 'it is not');
      const failure = refusal({ about: 'a', action: 'do it', status: 400, errorBody });
      require(failure.message.length < 1000, 'the message is long');
    },
  ),
  property(
    'the time after which to come back is none or not in the past',
    hostile('120', 'Wed, 21 Oct 2015 07:28:00 GMT'),
    (text) => {
      for (const name of ['retry-after', 'x-ratelimit-reset']) {
        const at = retryTime({ status: 429, headers: { [name]: text } }, 1_000_000);
        require(at === undefined || (Number.isFinite(at) && at >= 1_000_000), `it is ${at}`);
      }
    },
  ),
  property('the digest of any bytes can be read', fc.uint8Array(), (bytes) => {
    require(isDigest(digestOf(bytes)) && isDigest(digestOf(bytes, 'sha512')), 'it cannot');
  }),
  property('an address that is shown holds no secret', fc.tuple(anyText, anyText), ([user, signature]) => {
    const url = new URL('https://registry.example/v2/?n=1');
    url.username = user;
    url.password = `${signature}x`;
    url.searchParams.set('X-Signature', `secret${signature}`);
    require(!redactUrl(url).includes('secret'), 'it does');
  }),
];
