import { expect, it } from 'vitest';
import { parseErrorBody, refusal } from '../../src/registry/registry-failure.ts';

const complain = (code: string, message = '') => JSON.stringify({ errors: [{ code, message }] });
const MANIFEST = 'push its manifest';
const START = 'start an upload';

it.each<[what: string, action: string, status: number, body: string, code: string, hint: RegExp]>([
  [
    'ACR: an attestation',
    MANIFEST,
    403,
    complain('DENIED', 'unknown manifest class for application/vnd.oci.empty.v1+json'),
    'FORMAT_REFUSED',
    /leave it out/,
  ],
  [
    'SWR: an OCI index',
    MANIFEST,
    400,
    complain('MANIFEST_INVALID', "Invalid image, fail to parse 'manifest.json'"),
    'FORMAT_REFUSED',
    /leave it out/,
  ],
  ['Quay: a type', MANIFEST, 415, complain('MANIFEST_INVALID'), 'FORMAT_REFUSED', /leave it out/],
  ['a bare 415', MANIFEST, 415, '', 'FORMAT_REFUSED', /leave it out/],
  [
    'ECR: a format',
    MANIFEST,
    405,
    complain('UNSUPPORTED', 'Invalid parameter'),
    'FORMAT_REFUSED',
    /leave it out/,
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
  ['Quay: three levels', START, 400, complain('NAME_INVALID'), 'REGISTRY_REFUSED', /--naming/],
  ['Docker Hub: three levels', START, 400, 'invalid repository name', 'REGISTRY_REFUSED', /--naming/],
  ['a namespace that is not there', START, 403, complain('DENIED'), 'DENIED', /namespace/],
  ['reading says nothing of pushing', 'get its manifest', 415, '', 'REGISTRY_REFUSED', /^$/],
  ['a fault of the registry is no format', MANIFEST, 500, 'manifest unknown', 'REGISTRY_BROKEN', /later/],
])('%s', (_, action, status, body, code, hint) => {
  const failure = refusal({ about: 'a.example/app', action, status, errorBody: parseErrorBody(body) });
  expect(failure.code).toBe(code);
  expect(failure.hint ?? '').toMatch(hint);
});
