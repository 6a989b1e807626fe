import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { milliseconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { qetagOfBlocks } from '../../src/lib/qetag.ts';
import { eachOf, fieldOf, listOf, recordOf, TEXT_FIELD } from '../../src/lib/zero-value.ts';
import { askCredentialHelper } from '../../src/process/credential-helper.ts';
import { imageDocuments } from '../../src/publish/registry/image-manifest.ts';
import { GithubReleases } from '../../src/publish/release/github-releases.ts';
import { explainReleaseAnswer } from '../../src/publish/release/release-refusal.ts';
import { dockerCredentials } from '../../src/registry/auth/docker-config.ts';
import { parseToken } from '../../src/registry/auth/token.ts';
import { openUpload } from '../../src/registry/blob/blob-upload.ts';
import { parseErrorBody } from '../../src/registry/error-body.ts';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { listReferrers } from '../../src/registry/referrers.ts';
import { parseCatalogue, parseTagList } from '../../src/registry/tag-list.ts';
import { readBundle } from '../../src/signatures/sigstore-bundle.ts';
import { viewManifest } from '../../src/sync/check/tag-view.ts';
import { toImageOf, toIndexOf } from '../../src/sync/copy/format-family.ts';
import { bytesContent } from '../support/registry/content.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { TestClient } from '../support/test-client.ts';

/** What JSON holds. */
type Json = null | string | number | boolean | readonly Json[] | { readonly [name: string]: Json };

/** A reader of JSON that others write, JSON with all that is optional, and which fields of it those are. */
interface Reader {
  readonly what: string;
  readonly full: Json;
  readonly optional: readonly string[];
  /** Whether these fields say only what others say too. */
  readonly isRepeated?: true;
  /** Whether the test reads the text itself, and hands on what is in it. */
  readonly isGivenValue?: true;
  readonly read: (json: string) => unknown;
}

const calm = new AbortController().signal;
const APP = parseRepository('app');
const TAG = parseTag('1.0');
const DIGEST = digestOf(Buffer.from('content'));
const MANIFEST = Buffer.from('{"schemaVersion":2}');
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';

const descriptor = (mediaType: string) => ({ mediaType, digest: DIGEST, size: 7 });
const image = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPE.ociManifest,
  config: descriptor(OCI_CONFIG),
  layers: [
    { ...descriptor(OCI_LAYER), annotations: { a: 'b' }, urls: ['https://a.example/'], platform: null },
  ],
  annotations: { a: 'b' },
};
const index = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPE.ociIndex,
  manifests: [
    {
      ...descriptor(MEDIA_TYPE.ociManifest),
      platform: { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '1' },
      annotations: { a: 'b' },
      urls: ['https://a.example/'],
    },
  ],
  annotations: { a: 'b' },
};
const manifestOf = (json: string, type: string) => {
  const { bytes: _bytes, digest: _digest, ...read } = parseManifest(Buffer.from(json), type, 'app');
  return read;
};
const configuration = { os: 'linux', architecture: 'arm', variant: 'v7', config: { Env: ['A=b'] } };

async function atRegistry<Result>(
  use: (server: Awaited<ReturnType<typeof startRegistry>>, client: TestClient) => Promise<Result>,
): Promise<Result> {
  await using server = await startRegistry();
  using client = new TestClient(server.host, { attempts: 1 });
  return await use(server, client);
}

/** Returns what a credential helper that answers so is understood to say. */
async function helped(answer: string): Promise<unknown> {
  const folder = scratchFolder();
  const program = join(folder, 'docker-credential-keychain');
  writeFileSync(join(folder, 'answer'), answer);
  writeFileSync(program, `#!/bin/sh\ncat "${join(folder, 'answer')}"\n`);
  chmodSync(program, 0o755);
  const { PATH: path } = process.env;
  vi.stubEnv('PATH', `${folder}${delimiter}${path}`);
  try {
    return await askCredentialHelper('keychain', 'a.example', calm);
  } finally {
    vi.unstubAllEnvs();
  }
}

const READERS: readonly Reader[] = [
  {
    what: 'a manifest of an image',
    full: image,
    optional: ['mediaType', 'layers', 'annotations', 'layers.0.annotations', 'layers.0.urls'],
    read: (json) => manifestOf(json, MEDIA_TYPE.ociManifest),
  },
  {
    what: 'an index',
    full: index,
    optional: [
      'mediaType',
      'manifests',
      'annotations',
      'manifests.0.platform',
      'manifests.0.platform.variant',
      'manifests.0.platform.os.version',
      'manifests.0.annotations',
      'manifests.0.urls',
    ],
    read: (json) => manifestOf(json, MEDIA_TYPE.ociIndex),
  },
  {
    what: 'an image that becomes one of Docker',
    full: image,
    optional: ['layers', 'annotations', 'layers.0.annotations', 'layers.0.urls'],
    read: (json) => {
      const parsed = parseManifest(Buffer.from(json), undefined, 'app');
      return parsed.kind === 'image' && toImageOf('docker', parsed, 'app').digest;
    },
  },
  {
    what: 'an index that becomes one of Docker',
    full: index,
    optional: ['manifests', 'annotations', 'manifests.0.annotations', 'manifests.0.urls'],
    read: (json) => {
      const parsed = parseManifest(Buffer.from(json), undefined, 'app');
      const part = parseManifest(Buffer.from(JSON.stringify(image)), undefined, 'app');
      return parsed.kind === 'index' && toIndexOf('docker', parsed, new Map([[DIGEST, part]]), 'app').digest;
    },
  },
  {
    what: 'the configuration of an image',
    full: configuration,
    optional: ['variant', 'config', 'config.Env'],
    read: (json) =>
      atRegistry(async ({ storage }, { registry, signal }) => {
        const bytes = Buffer.from(json);
        const digest = storage.putBlob('app', bytesContent(json));
        const config = { mediaType: OCI_CONFIG, digest, size: bytes.length };
        const body = JSON.stringify({ ...image, config, layers: [] });
        storage.putManifest('app', Buffer.from(body), MEDIA_TYPE.ociManifest, ['1.0']);
        const { view } = await viewManifest(registry, APP, TAG, signal);
        return view.kind === 'there' && view.platforms;
      }),
  },
  {
    what: 'the configuration of a base image',
    isGivenValue: true,
    full: { rootfs: { diff_ids: [DIGEST] }, history: [{ created_by: 'x' }], config: { Env: ['A=b'] } },
    optional: ['rootfs.diff_ids', 'history', 'config'],
    read: (json) => {
      const base = { layers: [], config: JSON.parse(json) };
      const file = {
        name: 'a.tar.gz',
        path: '/a.tar.gz',
        sha256: DIGEST,
        qetag: qetagOfBlocks([]),
        size: 7,
      };
      const layer = { digest: DIGEST, size: 7, source: { about: 'a', open: () => Promise.reject() } };
      return imageDocuments(file, layer, { architecture: 'amd64', base }).config.digest;
    },
  },
  {
    what: 'a list of tags',
    full: {
      name: 'app',
      tags: ['1.0'],
      child: ['below'],
      manifest: { [DIGEST]: { tag: ['1.0'], timeUploadedMs: '1700000000000' } },
    },
    optional: [
      'name',
      'tags',
      'tags.0',
      'child',
      'child.0',
      'manifest',
      `manifest.${DIGEST}`,
      `manifest.${DIGEST}.tag`,
      `manifest.${DIGEST}.timeUploadedMs`,
    ],
    read: (json) => parseTagList(Buffer.from(json), 'app'),
  },
  {
    what: 'a catalogue',
    full: { repositories: ['app'] },
    optional: ['repositories', 'repositories.0'],
    read: (json) => parseCatalogue(Buffer.from(json), 'a.example'),
  },
  {
    what: 'a list of referrers',
    full: {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociIndex,
      manifests: [{ ...descriptor(MEDIA_TYPE.ociManifest), artifactType: 'a/b', annotations: { a: 'b' } }],
    },
    optional: ['manifests', 'manifests.0.artifactType', 'manifests.0.annotations'],
    read: (json) =>
      atRegistry(async (server, { registry, signal }) => {
        server.fail({ match: { kind: 'referrers' }, fault: { kind: 'status', status: 200, body: json } });
        return await listReferrers(registry, APP, DIGEST, signal);
      }),
  },
  {
    what: 'a token',
    full: { token: 'abc', access_token: 'abc', expires_in: 300, issued_at: 'x', refresh_token: 'r' },
    optional: ['token', 'expires_in', 'issued_at', 'refresh_token'],
    read: parseToken,
  },
  {
    what: 'a token under its other name',
    full: { token: 'abc', access_token: 'abc' },
    optional: ['access_token'],
    isRepeated: true,
    read: parseToken,
  },
  {
    what: 'a refusal of a registry',
    full: { errors: [{ code: 'DENIED', message: 'no', detail: 'at all' }] },
    optional: ['errors', 'errors.0', 'errors.0.code', 'errors.0.message', 'errors.0.detail'],
    read: (json) => parseErrorBody(json),
  },
  {
    what: 'a refusal of something in front of it',
    full: { message: 'no', details: 'at all', error: 'denied' },
    optional: ['message', 'details', 'error'],
    read: (json) => parseErrorBody(json),
  },
  {
    what: "Docker's configuration",
    full: {
      auths: { 'a.example': { auth: 'dTpw', identitytoken: 'i' }, 'b.example': { auth: 'dTpw' } },
      credHelpers: { 'c.example': 'ecr' },
      credsStore: 'desktop',
      HttpHeaders: { a: 'b' },
    },
    optional: [
      'auths',
      'auths.a.example',
      'auths.a.example.auth',
      'auths.a.example.identitytoken',
      'credHelpers',
      'credHelpers.c.example',
      'credsStore',
      'HttpHeaders',
    ],
    read: async (json) => {
      const file = join(scratchFolder(), 'config.json');
      writeFileSync(file, json);
      const lookup = dockerCredentials(
        { path: file, remedy: '' },
        async (helper) => (helper === 'ecr' ? { username: 'u', password: helper } : undefined),
        calm,
      );
      return await Promise.all(
        ['a.example', 'c.example'].map(async (host) =>
          (await lookup(parseHost(host))).map(({ credential }) => credential),
        ),
      );
    },
  },
  {
    what: 'the answer of a credential helper',
    full: { ServerURL: 'a.example', Username: 'u', Secret: 's' },
    optional: ['ServerURL', 'Username', 'Secret'],
    read: helped,
  },
  {
    what: 'a statement of in-toto',
    full: {
      subject: [{ name: 'app', digest: { sha256: digestHex(digestOf(MANIFEST)), sha512: 'x' } }],
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      predicate: { a: 'b' },
    },
    optional: ['subject', 'subject.0.name', 'subject.0.digest', 'subject.0.digest.sha512', 'predicate'],
    read: (json) => {
      const payload = Buffer.from(json).toString('base64');
      const bundle = { dsseEnvelope: { payloadType: 'application/vnd.in-toto+json', payload } };
      const { bundle: _, ...read } = {
        bundle,
        ...readBundle(Buffer.from(JSON.stringify(bundle)), digestOf(MANIFEST), MANIFEST),
      };
      return read;
    },
  },
  {
    what: 'a release at GitHub',
    full: { id: 1, tag_name: 'v1', body: 'notes', draft: false, html_url: 'x', upload_url: 'x', name: 'n' },
    optional: ['body', 'name'],
    read: async (json) => {
      await using api = await startRegistry();
      api.fail({ match: {}, fault: { kind: 'status', status: 200, body: json } });
      const retry = { attempts: 1, interval: milliseconds(1) };
      const access = { repository: 'me/it', token: 'token', api: new URL(api.url), retry };
      const http = new HttpClient();
      try {
        return await new GithubReleases(access, http, calm).find('v1');
      } finally {
        http.close();
      }
    },
  },
  {
    what: 'a refusal of GitHub',
    isGivenValue: true,
    full: { message: 'no', errors: [{ code: 'already_exists', message: 'of this name', resource: 'x' }] },
    optional: ['message', 'errors', 'errors.0', 'errors.0.code', 'errors.0.message', 'errors.0.resource'],
    read: (json) => {
      const refused = { status: 422, body: JSON.parse(json), about: 'me/it', retryAt: undefined };
      const { code, message } = explainReleaseAnswer(refused);
      return { code, message };
    },
  },
];

/** Names may have dots, so the longest name that fits is the next one. */
function namesOf(path: string, from: Json): string[] {
  if (path === '' || from === null || typeof from !== 'object') return [];
  const name = Object.keys(from)
    .filter((key) => path === key || path.startsWith(`${key}.`))
    .toSorted((one, other) => other.length - one.length)[0];
  if (name === undefined) throw new Error(`there is no ${path}`);
  const inner = Object.entries(from).find(([key]) => key === name)?.[1] ?? null;
  return [name, ...namesOf(path.slice(name.length + 1), inner)];
}

/** Returns a copy in which the field is changed; left out where the change is undefined. */
function changed(from: Json, names: readonly string[], change: (held: Json) => Json | undefined): Json {
  const [name, ...rest] = names;
  if (name === undefined || from === null || typeof from !== 'object')
    throw new Error('there is no such field');
  const entries = Object.entries(from).flatMap(([key, held]): [string, Json][] => {
    if (key !== name) return [[key, held]];
    const value = rest.length === 0 ? change(held) : changed(held, rest, change);
    return value === undefined ? [] : [[key, value]];
  });
  return Array.isArray(from) ? entries.map(([, held]) => held) : Object.fromEntries(entries);
}

function emptied(held: Json): Json {
  if (held === null || Array.isArray(held)) return [];
  if (typeof held === 'object') return {};
  if (typeof held === 'number') return 0;
  return '';
}

const FIELDS = READERS.flatMap((reader) => reader.optional.map((path) => ({ ...reader, path })));

it.each(FIELDS)('in $what it is all one whether $path is absent, null or empty', async (field) => {
  const names = namesOf(field.path, field.full);
  const readWith = async (change: (held: Json) => Json | undefined) =>
    await field.read(JSON.stringify(changed(field.full, names, change)));
  const absent = await readWith(() => undefined);
  expect(await readWith(() => null)).toEqual(absent);
  expect(await readWith(emptied)).toEqual(absent);
});

it.each(READERS)(
  '$what is read with all its fields',
  async ({ full, optional, isRepeated = false, read }) => {
    const outer = optional.filter((path) => !optional.some((other) => path.startsWith(`${other}.`)));
    const without = outer.reduce<Json>(
      (rest, path) => changed(rest, namesOf(path, rest), () => undefined),
      full,
    );
    const whole = await read(JSON.stringify(full));
    expect(whole).toBeTruthy();
    expect(isDeepStrictEqual(whole, await read(JSON.stringify(without)))).toBe(isRepeated);
  },
);

const HEAVY = `"x":[${'{},'.repeat(400_000)}{}]`;

it.each(READERS.filter(({ isGivenValue = false }) => !isGivenValue))(
  '$what is not read with a field that would take thirty times its length',
  async ({ full, read }) => {
    const text = JSON.stringify(full);
    const light = await read(text.replace('{', '{"x":[{},{},{}],'));
    expect(isDeepStrictEqual(light, await read(text)) || typeof light === 'string').toBe(true);
    const readHeavy = async () => read(text.replace('{', `{${HEAVY},`));
    const heavy = await readHeavy().catch(() => 'refused');
    expect(isDeepStrictEqual(heavy, light)).toBe(false);
  },
);

it.each(['', ' \n', 'null', '{}'])("Docker's configuration may be %j", async (text) => {
  const file = join(scratchFolder(), 'config.json');
  writeFileSync(file, text);
  const lookup = dockerCredentials({ path: file, remedy: '' }, async () => undefined, calm);
  expect(await lookup(parseHost('a.example'))).toEqual([]);
});

it('an empty Location is none', async () => {
  await atRegistry(async (server, { registry, signal }) => {
    seedImage(server.storage, 'app', { tags: ['1.0'] });
    server.fail({
      match: { kind: 'upload-start' },
      fault: { kind: 'status', status: 202, headers: { location: '' } },
    });
    await registry.ping();
    await expect(openUpload(registry, APP, signal)).rejects.toMatchObject({
      message: 'it opened an upload without an address',
    });
  });
});

it('what has the wrong type is still refused', () => {
  const shape = z.object({
    list: listOf(z.string()),
    record: recordOf(z.string()),
    field: fieldOf(z.number()),
    text: TEXT_FIELD,
  });
  expect(shape.parse({})).toEqual({ list: [], record: {} });
  expect(shape.parse({ record: { a: null, b: 'x' } }).record).toEqual({ b: 'x' });
  for (const wrong of [{ list: {} }, { list: [null] }, { record: [] }, { field: 'x' }, { text: 5 }]) {
    expect(shape.safeParse(wrong).success).toBe(false);
  }
});

it.each([
  ['a list', eachOf, Array.from({ length: 100_000 }, () => ({}))],
  ['a list that may be absent', listOf, Array.from({ length: 100_000 }, () => ({}))],
  ['an object', recordOf, Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`name-${at}`, {}]))],
])('the first wrong item of %s ends the reading', (_, shapeOf, wrong) => {
  let looked = 0;
  const item = z.custom<string>(() => {
    looked += 1;
    return false;
  }, 'it is no name');
  const { error } = shapeOf(item).safeParse(wrong);
  expect(error?.issues.map(({ message }) => message)).toEqual(['it is no name']);
  expect(looked).toBe(1);
});

it('an error about a wrong item says where it is, and repeats no long name', () => {
  const shape = z.object({ lists: recordOf(listOf(z.object({ a: z.string() }))) });
  const { error } = shape.safeParse({ lists: { ['n'.repeat(100_000)]: [{ a: 'x' }, { a: 5 }] } });
  expect(error?.issues[0]?.path).toEqual(['lists', 'n'.repeat(100), 1, 'a']);
  expect(error?.message.length).toBeLessThan(1000);
});
