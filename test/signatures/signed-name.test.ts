import { describe, expect, test } from 'vitest';
import type { PolicyScope } from '../../src/config/signature-policy.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { isNameOf, nameWhenSigned } from '../../src/signatures/signed-name.ts';

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

describe('the name in a signature', () => {
  test.each([
    ['registry.k8s.io/pause'],
    ['registry.k8s.io/pause:3.10'],
    [`registry.k8s.io/pause@sha256:${'0'.repeat(64)}`],
    ['k8s.gcr.io/pause'],
    ['us.gcr.io/k8s-artifacts-prod/pause'],
    ['gcr.io/k8s-artifacts-prod/pause'],
    ['europe-west1-docker.pkg.dev/k8s-artifacts-prod/images/pause'],
  ])('%s is that of registry.k8s.io/pause', (signed) => {
    expect(isNameOf(signed, 'registry.k8s.io/pause')).toBe(true);
  });

  test.each([
    [''],
    ['pause'],
    ['registry.k8s.io/pause2'],
    ['registry.k8s.io/a/pause'],
    ['evil.example/registry.k8s.io/pause'],
    ['africa.gcr.io/k8s-artifacts-prod/pause'],
    ['gcr.io/k8s-artifacts-prod-evil/pause'],
    ['evil.example/gcr.io/k8s-artifacts-prod/pause'],
    ['europe-west1-docker.pkg.dev/k8s-artifacts-prod/pause'],
    ['registry.k8s.io/PAUSE'],
    ['registry.k8s.io/pause:'],
    ['not a name'],
  ])('%j is not', (signed) => {
    expect(isNameOf(signed, 'registry.k8s.io/pause')).toBe(false);
  });
});
