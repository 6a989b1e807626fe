import { describe, expect, it } from 'vitest';
import { parseErrorBody } from '../../src/registry/error-body.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import { refusal, type Written } from '../../src/registry/refusal.ts';
import { bytesContent, generatedBytes } from '../support/registry/content.ts';
import type { Fault, FaultRule } from '../support/registry/faults.ts';
import type { RequestKind } from '../support/registry/route.ts';
import { seedImage } from '../support/registry/seed.ts';
import { APP, pair, SOURCE } from './push-pair.ts';

const complain = (code: string, message = '') => JSON.stringify({ errors: [{ code, message }] });
const MANIFEST = 'manifest';
const START = 'upload';

const FORMAT_HINT = /^this registry does not accept content of this kind; leave the image out$/;
const NAME_HINT = /^this registry may accept fewer levels of names: .*--naming/;
const PERMISSION_HINT =
  /^check that the namespace exists and that the account has permission for this there$/;

type Row = [
  what: string,
  writes: Written | undefined,
  status: number,
  body: string,
  code: string,
  hint: RegExp,
];

it.each<Row>([
  [
    'ACR: an attestation',
    MANIFEST,
    403,
    complain('DENIED', 'unknown manifest class for application/vnd.oci.empty.v1+json'),
    'FORMAT_REFUSED',
    FORMAT_HINT,
  ],
  [
    'SWR: an OCI index',
    MANIFEST,
    400,
    complain('MANIFEST_INVALID', "Invalid image, fail to parse 'manifest.json'"),
    'FORMAT_REFUSED',
    FORMAT_HINT,
  ],
  ['Quay: a type', MANIFEST, 415, complain('MANIFEST_INVALID'), 'FORMAT_REFUSED', FORMAT_HINT],
  ['a bare 415', MANIFEST, 415, '', 'FORMAT_REFUSED', FORMAT_HINT],
  [
    'ECR: whatever is wrong',
    MANIFEST,
    405,
    complain('UNSUPPORTED', 'Invalid parameter'),
    'MANIFEST_REFUSED',
    /^read the log of the registry, .* or leave the image out$/,
  ],
  [
    'a wrong tag is no format',
    MANIFEST,
    400,
    complain('TAG_INVALID', 'manifest tag did not match URI'),
    'REGISTRY_REFUSED',
    /^$/,
  ],
  ['missing parts are no format', MANIFEST, 400, complain('MANIFEST_BLOB_UNKNOWN'), 'CONTENT_UNKNOWN', /^$/],
  ['a 405 to an upload', START, 405, '', 'REGISTRY_REFUSED', /read-only or a pull-through cache/],
  ['a 405 to a question', undefined, 405, '', 'REGISTRY_REFUSED', /^$/],
  ['a 400 without a word', MANIFEST, 400, '', 'REGISTRY_REFUSED', /^$/],
  [
    'ECR: an immutable tag',
    MANIFEST,
    400,
    complain('ImageTagAlreadyExistsException'),
    'TAG_IMMUTABLE',
    /image set/,
  ],
  ['Harbor: an immutable tag', MANIFEST, 412, complain('PRECONDITION'), 'TAG_IMMUTABLE', /image set/],
  [
    'Harbor: an immutable tag, denied',
    MANIFEST,
    403,
    complain('DENIED', 'configured as immutable'),
    'TAG_IMMUTABLE',
    /image set/,
  ],
  ['ECR: no repository', START, 404, complain('NAME_UNKNOWN'), 'NOT_FOUND', /create the repository/],
  [
    'Harbor: no project',
    MANIFEST,
    404,
    complain('NOT_FOUND', 'project keel not found'),
    'NOT_FOUND',
    /project/,
  ],
  ['Quay: three levels', START, 400, complain('NAME_INVALID'), 'REGISTRY_REFUSED', NAME_HINT],
  ['Docker Hub: three levels', START, 400, 'invalid repository name', 'REGISTRY_REFUSED', NAME_HINT],
  ['a quota', START, 403, complain('DENIED', 'the storage quota is used up'), 'DENIED', /quota/],
  [
    'Google: a quota of requests',
    START,
    429,
    complain('TOOMANYREQUESTS', 'Quota exceeded'),
    'RATE_LIMITED',
    /^log in to this registry or lower --query-limit and --limit$/,
  ],
  ['a namespace that is not there', START, 403, complain('DENIED'), 'DENIED', PERMISSION_HINT],
  ['reading says nothing of pushing', undefined, 415, '', 'REGISTRY_REFUSED', /^$/],
  ['parts that are missing as an upload is opened', START, 404, complain('BLOB_UNKNOWN'), 'NOT_FOUND', /^$/],
  ['a layer that was not taken', 'layer', 404, complain('BLOB_UNKNOWN'), 'CONTENT_UNKNOWN', /^$/],
  ['a layer for nowhere', 'layer', 404, '', 'NOT_FOUND', /create the repository/],
  ['a layer of no type', 'layer', 415, '', 'REGISTRY_REFUSED', /^$/],
  ['a fault of the registry is no format', MANIFEST, 500, 'manifest unknown', 'REGISTRY_BROKEN', /later/],
])('%s', (_, writes, status, body, code, hint) => {
  const errorBody = parseErrorBody(body);
  const failure = refusal({ about: 'a.example/app', action: 'do it', writes, status, errorBody });
  expect(failure.code).toBe(code);
  expect(failure.hint ?? '').toMatch(hint);
});

const PART = `sha256:${'a1'.repeat(32)}`;
const OWN = `sha256:${'b2'.repeat(32)}`;
const several = (...errors: readonly object[]) => JSON.stringify({ errors });

describe('one code stands for many refusals of a manifest, so what else is said comes first', () => {
  it.each<[registry: string, status: number, body: string, code: string]>([
    [
      'distribution 2.8 and 3, GitLab: a missing blob',
      400,
      several({ code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown to registry', detail: PART }),
      'CONTENT_UNKNOWN',
    ],
    [
      'distribution: a missing blob, not as the first of several errors',
      400,
      several(
        { code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: {} },
        { code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown to registry', detail: PART },
      ),
      'CONTENT_UNKNOWN',
    ],
    [
      'distribution: another type in the header than in the body',
      400,
      several({ code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: {} }),
      'MANIFEST_REFUSED',
    ],
    [
      'distribution: a tag that does not fit',
      400,
      several({ code: 'TAG_INVALID', message: 'manifest tag did not match URI' }),
      'REGISTRY_REFUSED',
    ],
    [
      'Harbor: a missing blob',
      404,
      several({ code: 'NOT_FOUND', message: `blob ${PART} not found` }),
      'CONTENT_UNKNOWN',
    ],
    [
      'Harbor: no project',
      404,
      several({ code: 'NOT_FOUND', message: 'project keel not found' }),
      'NOT_FOUND',
    ],
    [
      'SWR: an OCI index',
      400,
      several({ code: 'MANIFEST_INVALID', message: "Invalid image, fail to parse 'manifest.json'" }),
      'FORMAT_REFUSED',
    ],
    [
      'ACR: an attestation',
      400,
      several({
        code: 'DENIED',
        message: 'unknown manifest class for application/vnd.in-toto+json',
        detail: [{ digest: OWN }],
      }),
      'FORMAT_REFUSED',
    ],
    [
      'Quay: whatever is wrong with a manifest',
      400,
      several({ code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: {} }),
      'MANIFEST_REFUSED',
    ],
    [
      'Quay: a missing blob, by name',
      400,
      several({
        code: 'MANIFEST_INVALID',
        message: 'manifest invalid',
        detail: { message: `Unknown blob ${PART}` },
      }),
      'CONTENT_UNKNOWN',
    ],
    [
      'Quay: a type of configuration',
      415,
      several({ code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: {} }),
      'FORMAT_REFUSED',
    ],
    [
      'ECR: missing layers',
      405,
      several({
        code: 'UNSUPPORTED',
        message: `Layers with digests '[${PART}]' required for pushing image into repository with name 'keel' in the registry with id '1' do not exist`,
      }),
      'CONTENT_UNKNOWN',
    ],
    [
      'ECR: missing images of an index',
      404,
      several({
        code: 'MANIFEST_BLOB_UNKNOWN',
        message: `Images with digests '[${PART}]' required for pushing image into repository with name 'keel' do not exist`,
      }),
      'CONTENT_UNKNOWN',
    ],
    [
      'Nexus: a missing blob',
      404,
      several({ code: 'BLOB_UNKNOWN', message: 'blob unknown to registry', detail: PART }),
      'CONTENT_UNKNOWN',
    ],
    [
      'Artifactory: whatever is wrong with a manifest',
      400,
      several({ code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: { description: 'null' } }),
      'MANIFEST_REFUSED',
    ],
    [
      'zot: the formats of Docker',
      415,
      several({
        code: 'MANIFEST_INVALID',
        message: 'manifest invalid',
        detail: { mediaType: 'application/vnd.docker.distribution.manifest.v2+json' },
      }),
      'FORMAT_REFUSED',
    ],
    [
      'zot: the words that explain a code are about no missing part',
      400,
      several({
        code: 'MANIFEST_INVALID',
        message: 'manifest invalid',
        description: 'This error may be returned when a manifest references an unknown layer during upload.',
        detail: { reference: OWN },
      }),
      'MANIFEST_REFUSED',
    ],
    [
      'zot: a part of an index that is not there yet',
      404,
      several({
        code: 'MANIFEST_UNKNOWN',
        message: 'manifest unknown to registry',
        detail: { reference: PART },
      }),
      'CONTENT_UNKNOWN',
    ],
    [
      'Gitea: a missing blob',
      404,
      several({ code: 'BLOB_UNKNOWN', message: 'blob unknown to registry' }),
      'CONTENT_UNKNOWN',
    ],
    [
      'Gitea: a type that it does not know',
      400,
      several({ code: 'MANIFEST_INVALID', message: 'MediaType not recognized' }),
      'FORMAT_REFUSED',
    ],
    [
      'GitLab: too large',
      400,
      several({ code: 'MANIFEST_PAYLOAD_SIZE_LIMIT', message: 'payload size exceeds limit' }),
      'REGISTRY_REFUSED',
    ],
    [
      'Harbor: a quota, denied',
      403,
      several({
        code: 'DENIED',
        message:
          'adding 2.1 MiB of storage resource, which when updated to current usage of 9.9 GiB will exceed the configured upper limit of 10.0 GiB.',
      }),
      'DENIED',
    ],
    [
      'Harbor: a policy of the project',
      412,
      several({ code: 'PROJECTPOLICYVIOLATION', message: 'the image is not allowed by the policy' }),
      'REGISTRY_REFUSED',
    ],
    [
      'ECR: too many images',
      400,
      several({ code: 'LimitExceededException', message: 'The manifest cannot be stored' }),
      'DENIED',
    ],
    ['a proxy: plain text', 400, 'manifest invalid', 'MANIFEST_REFUSED'],
    ['a proxy: a page', 415, '<html>415 Unsupported Media Type</html>', 'FORMAT_REFUSED'],
  ])('%s (%d)', (_, status, body, code) => {
    const errorBody = parseErrorBody(body);
    const failure = refusal({ about: 'a.example/app', action: 'do it', writes: MANIFEST, status, errorBody });
    expect(failure.code).toBe(code);
  });
});

describe('a refusal', () => {
  it.each([
    [400, 'REGISTRY_REFUSED', false],
    [401, 'UNAUTHORIZED', false],
    [403, 'DENIED', false],
    [404, 'NOT_FOUND', false],
    [405, 'REGISTRY_REFUSED', false],
    [408, 'REGISTRY_REFUSED', true],
    [413, 'REGISTRY_REFUSED', false],
    [429, 'RATE_LIMITED', true],
    [500, 'REGISTRY_BROKEN', true],
    [501, 'REGISTRY_BROKEN', false],
    [503, 'REGISTRY_BROKEN', true],
    [522, 'REGISTRY_BROKEN', true],
  ])('with %d is %s', (status, code, transient) => {
    const errorBody = { codes: [], text: 'told', details: '' };
    const failure = refusal({ about: 'a.example', action: 'do it', status, errorBody });
    expect(failure).toMatchObject({ code, transient, status });
    expect(failure.message).toBe(`cannot do it, the registry answered ${status}: told`);
  });

  it.each(['permission_denied: write_package', 'installation not allowed to Create organization package'])(
    'of GHCR that says "%s" tells which permission a workflow lacks',
    (message) => {
      const errorBody = parseErrorBody(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));
      const failure = refusal({
        about: 'ghcr.io',
        action: 'do it',
        writes: 'upload',
        status: 403,
        errorBody,
      });
      expect(failure).toMatchObject({ code: 'DENIED', transient: false });
      expect(failure.hint).toContain('set "permissions: packages: write" in the workflow');
    },
  );
});

/** Returns an answer that means something of its own only to a request that says what it writes. */
const refused = (status: number, code: string): Fault => ({ kind: 'status', status, body: complain(code) });

describe('a request says what it writes', () => {
  const CHUNKED = { match: { kind: 'upload-put' }, fault: refused(413, 'SIZE_INVALID') } as const;
  const NOWHERE = refused(404, 'NAME_UNKNOWN');
  const LOST = refused(403, 'BLOB_UNKNOWN');
  const UNKNOWN = { code: 'CONTENT_UNKNOWN' };
  const HINT = { code: 'NOT_FOUND', hint: expect.stringMatching(/^create the repository there/) };

  it.each<
    [what: string, kind: RequestKind, first: readonly FaultRule[], fault: Fault, told: object, times: number]
  >([
    ['an upload', 'upload-start', [], NOWHERE, HINT, 1],
    // After 404 the layer is sent to another upload, as often as there are attempts.
    ['a layer whose upload is not there', 'upload-put', [], NOWHERE, HINT, 3],
    ['a layer', 'upload-put', [], LOST, UNKNOWN, 1],
    ['a part of a layer', 'upload-patch', [CHUNKED], LOST, UNKNOWN, 1],
    ['the end of a layer', 'upload-put', [CHUNKED], LOST, UNKNOWN, 1],
  ])('when it is %s', async (_, kind, first, fault, told, times) => {
    await using test = await pair();
    for (const rule of first) test.sink.fail(rule);
    // So large that it is sent in parts where it is refused as a whole.
    const bytes = generatedBytes('large', 3 * 1024 * 1024);
    const descriptor = {
      digest: test.source.storage.putBlob(SOURCE, bytesContent(bytes)),
      size: bytes.length,
    };
    const handle = test.sink.fail({ match: { kind }, fault, times: Number.POSITIVE_INFINITY });
    await expect(test.push({ descriptor, isDoubted: true })).rejects.toMatchObject(told);
    expect(handle.hits).toBe(times);
  });

  it('when it is a manifest', async () => {
    await using test = await pair();
    const manifest = seedImage(test.source.storage, 'app');
    test.sink.fail({ match: { kind: 'manifest-put' }, fault: refused(415, 'MANIFEST_INVALID') });
    const { registry, signal } = test.client;
    const put = registry.putManifest(APP, parseTag('1.0'), manifest, signal);
    await expect(put).rejects.toMatchObject({ code: 'FORMAT_REFUSED' });
  });
});
