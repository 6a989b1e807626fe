import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PolicyScope } from '../../src/config/signature-policy.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { compareNames, nameWhenSigned } from '../../src/signatures/signed-name.ts';

function scope(host: string, path?: string): PolicyScope {
  return { host: parseHost(host), path: path === undefined ? undefined : parseRepository(path) };
}

test.each<[applied: PolicyScope, signedAs: PolicyScope | undefined, name: string]>([
  [scope('mirror.example'), undefined, 'mirror.example/team/app'],
  [scope('mirror.example', 'team'), undefined, 'mirror.example/team/app'],
  [scope('mirror.example'), scope('quay.io'), 'quay.io/team/app'],
  [scope('mirror.example'), scope('quay.io', 'their'), 'quay.io/their/team/app'],
  [scope('mirror.example', 'team'), scope('quay.io', 'their'), 'quay.io/their/app'],
  [scope('mirror.example', 'team'), scope('quay.io'), 'quay.io/app'],
  [scope('mirror.example', 'team/app'), scope('quay.io', 'their/tool'), 'quay.io/their/tool'],
])('below %j an image that was signed as %j has the name %s', (applied, signedAs, name) => {
  const image = { host: parseHost('mirror.example'), repository: parseRepository('team/app') };
  expect(nameWhenSigned(image, applied, signedAs)).toBe(name);
});

test.each<[applied: PolicyScope, signedAs: PolicyScope, name: string]>([
  [scope('docker.io', 'busybox'), scope('quay.io', 'their/busybox'), 'quay.io/their/busybox'],
  [scope('docker.io', 'library'), scope('quay.io', 'their'), 'quay.io/their/busybox'],
  [scope('docker.io', 'busybox'), scope('docker.io', 'nginx'), 'docker.io/library/nginx'],
])('of Docker Hub is known by its short name, below %j as %j: %s', (applied, signedAs, name) => {
  const image = { host: parseHost('docker.io'), repository: parseRepository('library/busybox') };
  expect(nameWhenSigned(image, applied, signedAs)).toBe(name);
});

test.each([
  [undefined, 'us.gcr.io', 'k8s-artifacts-prod/pause'],
  [scope('us-central1-docker.pkg.dev', 'k8s-artifacts-prod/images'), 'mirror.example', 'pause'],
])(
  'an image from where Kubernetes pushes has the name that it gives out: as %j at %s/%s',
  (signedAs, host, path) => {
    const image = { host: parseHost(host), repository: parseRepository(path) };
    const name = nameWhenSigned(image, scope(host), signedAs);
    expect(name).toBe('registry.k8s.io/pause');
    expect(compareNames({ claims: [['us.gcr.io/k8s-artifacts-prod/pause']] }, name, DIGEST).kind).toBe(
      'same',
    );
    expect(compareNames({ claims: [['registry.k8s.io/pause']] }, name, DIGEST).kind).toBe('same');
  },
);

const DIGEST = digestOf(Buffer.from('pause'));
const OTHER = digestOf(Buffer.from('kube-proxy'));
const PAUSE = 'registry.k8s.io/pause';

function compare(names: readonly string[], wanted = PAUSE) {
  return compareNames({ claims: [names] }, wanted, DIGEST);
}

describe('the name in a signature', () => {
  test.each<[text: string, wanted: string, tags: readonly string[] | undefined]>([
    ['registry.k8s.io/pause', PAUSE, undefined],
    ['registry.k8s.io/pause:3.10', PAUSE, ['3.10']],
    [`registry.k8s.io/pause@${DIGEST}`, PAUSE, undefined],
    [`registry.k8s.io/pause:3.10@${DIGEST}`, PAUSE, ['3.10']],
    ['k8s.gcr.io/pause', PAUSE, undefined],
    ['us.gcr.io/k8s-artifacts-prod/pause', PAUSE, undefined],
    ['gcr.io/k8s-artifacts-prod/pause', PAUSE, undefined],
    ['europe-west1-docker.pkg.dev/k8s-artifacts-prod/images/pause', PAUSE, undefined],
    ['https://registry.k8s.io/pause', PAUSE, undefined],
    ['ghcr.io/Owner/App', 'ghcr.io/owner/app', undefined],
    ['GHCR.IO/owner/app:V1', 'ghcr.io/owner/app', ['V1']],
    ['localhost:5000/app:1', 'localhost:5000/app', ['1']],
    ['busybox', 'docker.io/library/busybox', undefined],
    ['busybox:1.37', 'docker.io/library/busybox', ['1.37']],
    ['owner/app.js', 'docker.io/owner/app.js', undefined],
    ['index.docker.io/library/busybox', 'docker.io/library/busybox', undefined],
    ['registry-1.docker.io/owner/app', 'docker.io/owner/app', undefined],
    ['pkg:docker/busybox@1.37?platform=linux%2Famd64', 'docker.io/library/busybox', ['1.37']],
    [
      `pkg:oci/app@${encodeURIComponent(DIGEST)}?repository_url=ghcr.io/owner/app`,
      'ghcr.io/owner/app',
      undefined,
    ],
  ])('%s is that of %s', (text, wanted, tags) => {
    expect(compare([text], wanted)).toEqual({ kind: 'same', tags });
  });

  test.each([
    ['pause'],
    ['registry.k8s.io/pause2'],
    ['registry.k8s.io/a/pause'],
    ['registry.k8s.io/kube-proxy'],
    ['registry.k8s.io/KUBE-PROXY'],
    [`registry.k8s.io/pause@${OTHER}`],
    ['evil.example/registry.k8s.io/pause'],
    ['africa.gcr.io/k8s-artifacts-prod/pause'],
    ['gcr.io/k8s-artifacts-prod-evil/pause'],
    ['evil.example/gcr.io/k8s-artifacts-prod/pause'],
    ['europe-west1-docker.pkg.dev/k8s-artifacts-prod/pause'],
    ['pkg:docker/registry.k8s.io/kube-proxy@v1.36.0'],
    ['pkg:oci/pause?repository_url=ghcr.io/owner/pause'],
    [`pkg:oci/pause@${encodeURIComponent(OTHER)}?repository_url=registry.k8s.io/pause`],
  ])('%j is that of another image', (text) => {
    expect(compare([text])).toEqual({ kind: 'other', signedAs: text });
  });

  test.each([
    [''],
    ['pause-3.10.tar.gz'],
    ['./dist/pause'],
    ['dist/pause.tar'],
    ['not a name'],
    ['registry.k8s.io/pause:'],
    ['registry.k8s.io/pause@sha256:abc'],
    ['pkg:npm/pause@3.10'],
    ['pkg:oci/pause@sha256%3Aabc'],
    ['pkg:oci/pause?repository_url=%E0%A4%A'],
    ['pkg:docker/%E0%A4%A'],
    [`registry.k8s.io/${'a'.repeat(2000)}`],
  ])('%j is that of no image', (text) => {
    expect(compare([text])).toEqual({ kind: 'unnamed', text });
  });
});

describe('of several names in a signature', () => {
  test('one is enough where they are of the same subject', () => {
    expect(compare(['registry.k8s.io/kube-proxy', PAUSE])).toEqual({ kind: 'same', tags: undefined });
    expect(compare([`${PAUSE}:3.9`, 'ghcr.io/a/pause:1', `${PAUSE}:3.10`])).toEqual({
      kind: 'same',
      tags: ['3.9', '3.10'],
    });
  });

  test('one without a tag is of all tags', () => {
    expect(compare([`${PAUSE}:3.9`, PAUSE])).toEqual({ kind: 'same', tags: undefined });
  });

  test('those of files are passed over', () => {
    expect(compare(['pause.tar.gz', PAUSE])).toEqual({ kind: 'same', tags: undefined });
    expect(compare(['pause.tar.gz', 'registry.k8s.io/kube-proxy'])).toMatchObject({ kind: 'other' });
  });

  test('each that is told anew must be of the image too, and its tags those of all', () => {
    const compared = (claims: string[][], tags?: string[]) => compareNames({ claims, tags }, PAUSE, DIGEST);
    expect(compared([[PAUSE], ['registry.k8s.io/kube-proxy']])).toEqual({
      kind: 'other',
      signedAs: 'registry.k8s.io/kube-proxy',
    });
    expect(compared([[], [PAUSE]], ['3.9', '3.10'])).toEqual({ kind: 'same', tags: ['3.9', '3.10'] });
    expect(compared([[`${PAUSE}:3.9`]], ['3.9', '3.10'])).toEqual({ kind: 'same', tags: ['3.9'] });
    expect(compared([[`${PAUSE}:3.9`], [`${PAUSE}:3.10`]])).toEqual({ kind: 'same', tags: [] });
    expect(compared([])).toEqual({ kind: 'unnamed', text: '' });
  });
});

test('whatever a signer writes is compared without a fault', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl(),
    fc.constantFrom(PAUSE, ':', '@', '/', '%'),
  );
  const name = fc
    .tuple(
      fc.constantFrom('', 'pkg:docker/', 'pkg:oci/x?repository_url=', 'https://', `${PAUSE}@`),
      text,
      text,
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(fc.array(name)), fc.option(fc.array(text), { nil: undefined }), (claims, tags) => {
      expect(['same', 'unnamed', 'other']).toContain(compareNames({ claims, tags }, PAUSE, DIGEST).kind);
    }),
    { numRuns: 500 },
  );
});
