import { expect, test } from 'vitest';
import { architecturesIn, parseArchitecture } from '../../src/config/kubernetes/architecture.ts';

test.each([
  ['amd64', 'amd64'],
  ['AMD64', 'amd64'],
  [' arm64 ', 'arm64'],
  ['x86_64', 'amd64'],
  ['x64', 'amd64'],
  ['aarch64', 'arm64'],
  ['ppc64le', 'ppc64le'],
  ['s390x', 's390x'],
])('%j is %s', (text, architecture) => {
  expect(parseArchitecture(text, '--arch')).toBe(architecture);
});

test.each([
  ['amd46', '"amd46" is not an architecture of Kubernetes; did you mean "amd64"?'],
  // Kubernetes publishes no servers for these, though there are images.
  ['riscv64', '"riscv64" is not an architecture of Kubernetes'],
  ['', '"" is not an architecture of Kubernetes'],
])('%j is refused', (text, message) => {
  expect(() => parseArchitecture(text, '--arch')).toThrow(
    expect.objectContaining({
      code: 'ARCHITECTURE_UNKNOWN',
      about: '--arch',
      message,
      hint: 'write amd64, arm64, ppc64le or s390x',
    }),
  );
});

test.each([
  ['https://example.com/tool-linux-amd64.tar.gz', ['amd64']],
  ['tool_Linux_x86_64.tar.gz', []],
  ['tool-x86_64.tar.gz', ['amd64']],
  ['kube-apiserver-arm', ['arm']],
  ['kube-apiserver-arm64/arm64', ['arm64']],
  ['amd64-and-riscv64', ['amd64', 'riscv64']],
  ['charm', []],
])('the architectures in %s are %j', (text, architectures) => {
  expect(architecturesIn(text)).toEqual(architectures);
});
