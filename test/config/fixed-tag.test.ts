import { describe, expect, test } from 'vitest';
import { isFixedTag } from '../../src/config/fixed-tag.ts';

/** Returns whether a tag of an image that no table knows is fixed. */
function isFixed(tag: string): boolean {
  return isFixedTag({ host: 'ghcr.io', repository: 'someone/app', tag });
}

describe('isFixedTag', () => {
  test.each([
    'v1.2.3',
    '1.2.3',
    '3.10.1',
    '1.2.3.4',
    '0.0.1',
    '1.2.3-rc.1',
    'v1.37.0-alpha.3',
    '1.2.3rc1',
    '2024.1.0b3',
    'v1.9.1-flannel3',
    '3.5.21-0',
    'v1.8.0-s390x',
    '1.2.3-alpine',
    '1.2.3-alpine3.19',
    '12.4.1-base-ubuntu22.04',
    'v2.3.4-stable',
    '2.440.1-lts-jdk17',
    '3.1.0.Final',
    'controller-v1.2.3',
    'helm-chart-v4.10.1',
    'release-1.2.3',
    'version-1.2.3',
  ])('a whole version does not move: %s', (tag) => {
    expect(isFixed(tag)).toBe(true);
  });

  test.each([
    '20240513',
    'v20240513-35280ba',
    '2024-05-13',
    'jammy-20240111',
    'RELEASE.2025-04-22T22-12-26Z',
    '31-12-2024',
    'stable-20240513',
  ])('a dated release does not move: %s', (tag) => {
    expect(isFixed(tag)).toBe(true);
  });

  test.each([
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b',
    'sha-7e12abc',
    '7e12abc',
    'main-1a2b3c4d',
    'v1.36-12-g0123abc',
    'nightly-20240513-35280ba',
    'git-1234567',
  ])('a commit does not move: %s', (tag) => {
    expect(isFixed(tag)).toBe(true);
  });

  test.each([
    'latest',
    'stable',
    'nightly',
    'main',
    'master',
    'edge',
    'lts',
    'beta',
    'next',
    '1',
    'v1',
    '1.36',
    'v1.36',
    '24.04',
    '2024.10',
    'alpine',
    'jammy',
    'bookworm-slim',
    'alpine3.19.1',
    '1.36-alpine',
    '1.36-alpine3.19',
    '17-jdk',
    'latest-alpine3.19.1',
    'stable-alpine',
    'main-ubuntu22.04.3',
    '1.2.3-SNAPSHOT',
    'v1.2.3-latest',
    'v1.2.x',
    'nightly-20240513',
    'release-1.36',
    'pr-12',
    'cuda12.1',
    '',
  ])('a tag that moves by nature, or may: "%s"', (tag) => {
    expect(isFixed(tag)).toBe(false);
  });

  test.each([
    // Promoted once.
    ['registry.k8s.io', 'pause', '3.10', true],
    ['registry.k8s.io', 'pause', '3', true],
    ['registry.k8s.io', 'coredns/coredns', 'v1.14.2', true],
    ['registry.k8s.io', 'build-image/debian-base', 'bookworm-v1.0.4', true],
    ['us-central1-docker.pkg.dev', 'k8s-artifacts-prod/images/pause', '3.10', true],
    ['registry.k8s.io', 'pause', 'latest', false],
    ['registry.k8s.io', 'e2e-test-images/agnhost', 'stable', false],
    ['us-central1-docker.pkg.dev', 'someone/pause', '3.10', false],
    // Rebuilt under the same tags.
    ['docker.io', 'library/busybox', '1.37.0', false],
    ['docker.io', 'library/ubuntu', 'jammy-20240111', false],
    ['public.ecr.aws', 'docker/library/nginx', '1.29.0', false],
    ['mirror.gcr.io', 'library/nginx', '1.29.0', false],
    ['docker.io', 'arm64v8/nginx', '1.29.0', false],
    ['mirror.gcr.io', 'amd64/nginx', '1.29.0', false],
    ['mcr.microsoft.com', 'dotnet/aspnet', '8.0.1-alpine3.19', false],
    ['mcr.microsoft.com', 'azure-cli', '2.55.0', true],
    ['cgr.dev', 'chainguard/go', '1.21.1', false],
    ['docker.io', 'grafana/grafana', '12.1.0', true],
    ['mirror.gcr.io', 'grafana/grafana', '12.1.0', true],
    // Only the revision stays, or the build.
    ['public.ecr.aws', 'bitnami/redis', '7.2.4', false],
    ['mirror.gcr.io', 'bitnami/redis', '7.2.4', false],
    ['lscr.io', 'linuxserver/swag', '2.6.0', false],
    ['ghcr.io', 'linuxserver/swag', 'version-2.6.0', false],
    ['docker.io', 'linuxserver/swag', 'arm64v8-2.6.0-ls224', true],
    ['docker.io', 'bitnami/redis', '7.2.4', false],
    ['docker.io', 'bitnami/redis', '7.2.4-debian-12', false],
    ['docker.io', 'bitnami/redis', '7.2.4-debian-12-r5', true],
  ])('what its maker does goes before what the tag looks like: %s/%s:%s', (host, repository, tag, fixed) => {
    expect(isFixedTag({ host, repository, tag })).toBe(fixed);
  });
});
