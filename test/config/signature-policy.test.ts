import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import {
  formatScope,
  formatSignaturePolicies,
  type IdentityKind,
  isSigner,
  policyFor,
  readSignaturePolicies,
  type SignaturePolicies,
  signaturesSchema,
} from '../../src/config/signature-policy.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';

const ME = { identity: 'me@example.com', issuer: 'https://accounts.example.com' };

function read(signatures: object) {
  const document = parseDocument('image_set.json', JSON.stringify({ signatures }));
  return readSignaturePolicies(document, signaturesSchema.parse(signatures));
}

function policies(signatures: object): SignaturePolicies {
  const { policies: found, problems } = read(signatures);
  expect(problems).toEqual([]);
  return found;
}

function kindOf(found: string): IdentityKind {
  return found.includes('://') ? 'uri' : 'email';
}

describe('the scope of a policy', () => {
  test.each([
    ['quay.io', 'quay.io'],
    ['quay.io/', 'quay.io'],
    ['quay.io/team/app', 'quay.io/team/app'],
    ['localhost/app', 'localhost/app'],
    ['registry:5000', 'registry:5000'],
    ['k8s.gcr.io', 'registry.k8s.io'],
    ['k8s.gcr.io/sig', 'registry.k8s.io/sig'],
  ])('%s is %s', (text, scope) => {
    expect(policies({ [text]: 'off' }).map((each) => formatScope(each.scope))).toEqual([scope]);
  });

  test.each([
    ['team', 'expected a registry, found "team"'],
    ['quay_.io/team', 'write a name such as registry.k8s.io or 10.0.0.5:5000, without https://)'],
    ['quay.io/*', 'a scope needs no star (write "quay.io")'],
    ['quay.io/team/*', 'a scope needs no star (write "quay.io/team")'],
    ['quay.io/Team', '"Team" cannot be part of a repository name'],
  ])('may not be %s', (text, message) => {
    const { policies: found, problems } = read({ [text]: 'off' });
    expect(found).toEqual([]);
    expect(problems).toMatchObject([{ message: expect.stringContaining(message) }]);
  });

  test('may stand there once only, under whatever name', () => {
    expect(read({ 'registry.k8s.io': 'off', 'k8s.gcr.io': ME }).problems).toMatchObject([
      { message: 'registry.k8s.io is already in the file under another name' },
    ]);
  });
});

describe('a signer', () => {
  test.each<[signer: object, message: string]>([
    [{ ...ME, identity: '*' }, 'this matches everyone'],
    [{ ...ME, identity: '***' }, 'this matches everyone'],
    [
      { ...ME, identity: 'https://github.com/o/r/.github/workflows/r.yml@refs/tags/***' },
      'there are more than two stars in a row (write "https://github.com/o/r/.github/workflows/r.yml@refs/tags/**"',
    ],
    [
      { ...ME, identity: 'a****b@example.com' },
      '(write "a**b@example.com"; "**" stands for any text already)',
    ],
    [{ ...ME, identity: '' }, 'expected the identity in a certificate, found ""'],
    [{ ...ME, identity: 'me at home' }, 'expected the identity in a certificate, found "me at home"'],
    [{ ...ME, identity: 'x'.repeat(1001) }, 'expected the identity in a certificate'],
    [{ ...ME, issuer: 'accounts.example.com' }, 'expected the address of an identity provider'],
    [{ ...ME, issuer: 'http://accounts.example.com' }, 'expected the address of an identity provider'],
    [{ ...ME, issuer: 'https://*.example.com' }, 'expected the address of an identity provider'],
    [{ ...ME, signedAs: 'team' }, 'expected a registry, found "team"'],
  ])('may not be %j', (signer, message) => {
    const parsed = signaturesSchema.safeParse({ 'quay.io': signer });
    expect(JSON.stringify(parsed.error?.issues)).toContain(JSON.stringify(message).slice(1, -1));
  });

  test.each([
    [{ ...ME, acceptUnnamed: 'yes' }],
    [{ identity: 'me' }],
    [{ ...ME, role: 'boss' }],
    [[]],
    ['on'],
    [true],
  ])('has another form than %j', (signer) => {
    expect(signaturesSchema.safeParse({ 'quay.io': signer }).success).toBe(false);
  });

  test.each<[wanted: string, found: string, is: boolean, identityKind?: IdentityKind]>([
    ['me@example.com', 'me@example.com', true],
    ['me@example.com', 'me@example.com', false, 'uri'],
    ['*@example.com', 'me@example.com', false, 'uri'],
    ['me/you@example.com', 'me/you@example.com', true],
    ['https://github.com/a/b', 'https://github.com/a/b', false, 'email'],
    ['me@example.com', 'xme@example.com', false],
    ['me@example.com', 'me@example.com.evil', false],
    ['me@example.com', 'me@exampleXcom', false],
    ['*@example.com', 'you@example.com', true],
    ['*@example.com', 'you@example.com@evil', false],
    ['https://github.com/a/b@refs/tags/v*', 'https://github.com/a/b@refs/tags/v1.2', true],
    ['https://github.com/a/b@refs/tags/v*', 'https://github.com/a/b@refs/heads/main', false],
    ['a*c*e', 'abcde', true],
    ['a*c*e', 'abde', false],
    ['a*', 'a\nb', true],
    ['(a+)+', 'aaa', false],
  ])('that is wanted as %j is %j: %s %s', (identity, found, is, identityKind = kindOf(found)) => {
    expect(isSigner({ ...ME, identity }, { ...ME, identity: found, identityKind })).toBe(is);
  });

  test('of another identity provider is another one', () => {
    expect(isSigner(ME, { ...ME, identityKind: 'email', issuer: `${ME.issuer}/` })).toBe(false);
  });
});

describe('the policy for an image', () => {
  const found = policies({
    'quay.io': 'off',
    'quay.io/team': ME,
    'quay.io/team/app': [ME, { ...ME, identity: 'you@example.com' }],
  });

  test.each([
    ['quay.io', 'other', 'quay.io'],
    ['quay.io', 'team/tool', 'quay.io/team'],
    ['quay.io', 'team', 'quay.io/team'],
    ['quay.io', 'team2/tool', 'quay.io'],
    ['quay.io', 'team/app', 'quay.io/team/app'],
    ['quay.io', 'team/app/part', 'quay.io/team/app'],
    ['quay.io', 'team/app2', 'quay.io/team'],
    ['registry.k8s.io', 'pause', 'registry.k8s.io'],
    ['ghcr.io', 'team/app', undefined],
  ])('%s/%s is that of %s', (host, repository, scope) => {
    const policy = policyFor(found, { host: parseHost(host), repository: parseRepository(repository) });
    expect(policy === undefined ? undefined : formatScope(policy.scope)).toBe(scope);
  });

  test.each([
    ['library/busybox', 'docker.io/busybox'],
    ['busybox/tool', 'docker.io/busybox'],
    ['library/nginx', 'docker.io/library'],
    ['library/redis', 'docker.io/library/redis'],
    ['team/busybox', 'docker.io'],
  ])('of Docker Hub is known by its short name: %s is that of %s', (repository, scope) => {
    const hub = policies({
      'docker.io': 'off',
      'docker.io/library': 'off',
      'docker.io/busybox': ME,
      'docker.io/library/redis': ME,
    });
    const policy = policyFor(hub, { host: parseHost('docker.io'), repository: parseRepository(repository) });
    expect(policy && formatScope(policy.scope)).toBe(scope);
    const elsewhere = policies({ 'quay.io/busybox': ME });
    const image = { host: parseHost('quay.io'), repository: parseRepository('library/busybox') };
    expect(policyFor(elsewhere, image)).toBeUndefined();
  });

  test('is the one of the file before the one that is known', () => {
    const image = { host: parseHost('registry.k8s.io'), repository: parseRepository('pause') };
    expect(policyFor([], image)?.policy.kind).toBe('signed');
    expect(policyFor(policies({ 'k8s.gcr.io': 'off' }), image)?.policy.kind).toBe('off');
  });
});

test('policies are written as a file has them', () => {
  const signatures = {
    'quay.io': 'off',
    'ghcr.io/team': { ...ME, signedAs: 'docker.io/team' },
    'docker.io': [ME, ME],
    'gcr.io': { ...ME, acceptUnnamed: true },
  };
  expect(formatSignaturePolicies(policies(signatures))).toEqual({
    'quay.io': 'off',
    'ghcr.io/team': [{ ...ME, signedAs: 'docker.io/team' }],
    'docker.io': [ME, ME],
    'gcr.io': [{ ...ME, acceptUnnamed: true }],
  });
});
