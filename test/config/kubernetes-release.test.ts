import { expect, test } from 'vitest';
import { kubeadmMinors } from '../../src/config/kubernetes/kubeadm-tags.ts';
import { parseKubernetesRelease } from '../../src/config/kubernetes/kubernetes-release.ts';

const { oldest, newest } = kubeadmMinors();

test.each([`1.${newest}`, `v1.${newest}`, `1.${newest}.x`, `1.${newest}.*`, ` 1.${newest} `])(
  '%j is a minor',
  (text) => {
    expect(parseKubernetesRelease(text)).toEqual({ kind: 'minor', text: `1.${newest}`, minor: newest });
  },
);

test.each([`1.${oldest}.1`, `v1.${oldest}.1`])('%j is one version', (text) => {
  const version = `1.${oldest}.1`;
  expect(parseKubernetesRelease(text)).toEqual({ kind: 'version', text: version, version });
});

test.each([
  [`1.${newest + 1}`, 'use a newer keel-pkg, or name the images in "names"'],
  [`1.${newest + 1}.0`, 'use a newer keel-pkg, or name the images in "names"'],
  [`1.${oldest - 1}`, 'name the images in "names"'],
  [`1.${oldest - 1}.3`, 'name the images in "names"'],
])('%s is not known', (text, hint) => {
  expect(() => parseKubernetesRelease(text)).toThrow(
    expect.objectContaining({
      code: 'KUBERNETES_VERSION_MALFORMED',
      message: expect.stringMatching(/is not known here; known are 1\.\d+ to 1\.\d+$/),
      hint,
    }),
  );
});

test.each(['', '1', '2.37', '1.037', '1.37.1.2', '1.1000', 'latest', 'v1.x'])('%j is no version', (text) => {
  expect(() => parseKubernetesRelease(text)).toThrow(
    expect.objectContaining({
      code: 'KUBERNETES_VERSION_MALFORMED',
      message: `expected a version of Kubernetes, found "${text}"`,
    }),
  );
});
