import { describe, expect, it, test } from 'vitest';
import { pastedName } from '../../src/registry/oci/pasted-name.ts';
import { parseHost, parseReference } from '../../src/registry/oci/reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each([
  ['https://registry.example/v2/', 'registry.example'],
  ['https://registry.example/v2/_catalog?n=10', 'registry.example'],
  ['HTTPS://Registry.Example/', 'registry.example'],
  ['registry.example///', 'registry.example'],
  ['https://harbor.example/harbor/projects/1', 'harbor.example'],
  ['https://hub.docker.com/_/nginx', 'docker.io/library/nginx'],
  ['https://hub.docker.com/r/library/nginx/', 'docker.io/library/nginx'],
  ['https://hub.docker.com/r/bitnami/redis/tags?page=2', 'docker.io/bitnami/redis'],
  ['https://hub.docker.com/repository/docker/team/app/general', 'docker.io/team/app'],
  ['https://quay.io/repository/calico/node?tab=tags', 'quay.io/calico/node'],
  ['https://github.com/orgs/flannel-io/packages/container/package/flannel', 'ghcr.io/flannel-io/flannel'],
  ['https://github.com/flannel-io/flannel/pkgs/container/flannel', 'ghcr.io/flannel-io/flannel'],
  ['https://gallery.ecr.aws/eks-distro/pause', 'public.ecr.aws/eks-distro/pause'],
  ['https://registry.k8s.io/v2/pause/tags/list', 'registry.k8s.io/pause'],
  ['https://registry.example/v2/team/app/manifests/1.0', 'registry.example/team/app:1.0'],
  ['docker://registry.example/app:1.0', 'registry.example/app:1.0'],
  ['oci://registry.example/app', 'registry.example/app'],
  ['https://user:password@registry.example/app', 'registry.example/app'],
  ['pause/', 'pause'],
  ['registry.example/team/App:1.0', 'registry.example/team/App:1.0'],
  [`nginx@${DIGEST}`, `nginx@${DIGEST}`],
])('%s means %s', (text, name) => {
  expect(pastedName(text)).toBe(name);
});

describe('a login in an address', () => {
  it.each([parseHost, parseReference])('is refused, and repeated nowhere (%o)', (parse) => {
    let told: unknown;
    try {
      parse('https://user:hunter2@registry.example/app');
    } catch (error) {
      told = error;
    }
    expect(told).toMatchObject({
      code: 'REFERENCE_MALFORMED',
      hint: expect.stringContaining('docker login'),
    });
    const { about, message, hint } = Object(told);
    expect([about, message, hint].join()).not.toMatch(/hunter2|user:/);
  });
});

it('is read in linear time', () => {
  const started = performance.now();
  for (const part of ['/', 'a:', '@', '?', 'a/'])
    for (const text of [part.repeat(200_000), `x${part.repeat(200_000)}x`]) pastedName(text);
  // Milliseconds; in the square of its length it would take minutes.
  expect(performance.now() - started).toBeLessThan(20_000);
});
