import { expect, it } from 'vitest';
import { kubernetesMinor, parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';

it.each([
  ['1.37.1', 37],
  ['v1.30.0', 30],
  [' v1.36.0-rc.0 ', 36],
  ['1.9.10-alpha.12', 9],
])('reads %j', (text, minor) => {
  expect(kubernetesMinor(parseKubernetesVersion(text, 'test'))).toBe(minor);
});

it.each(['1.37', '2.0.0', '1.037.0', '1.30.0-rc.01', '1.30.0-rc', '1.30.0-gke.1', '1.30.0+k3s1'])(
  'refuses %j',
  (text) => {
    expect(() => parseKubernetesVersion(text, '--kube-version')).toThrow(
      expect.objectContaining({
        code: 'KUBERNETES_VERSION_MALFORMED',
        about: '--kube-version',
        message: expect.stringContaining('is not a Kubernetes version'),
      }),
    );
  },
);
