import { expect, it } from 'vitest';
import { packageArchitecture, packageTag } from '../../src/publish/registry/package-tag.ts';

it.each([
  ['kube-1.36.2-amd64.tar.gz', '1.36.2-amd64', 'amd64'],
  ['kube-1.36.2-arm64-beta.tar.gz', '1.36.2-arm64-beta', 'arm64'],
  ['kube-v1.36.2+k3s1-s390x.tgz', 'v1.36.2_k3s1-s390x', 's390x'],
  ['robot-arm-1.0-arm64.tar.gz', 'robot-arm-1.0-arm64', 'arm64'],
  ['kube-1.36.2-amd64-arm.tar.gz', '1.36.2-amd64-arm', 'amd64'],
  ['kube-1.20.0-arm.tar.gz', '1.20.0-arm', 'arm'],
  ['other.tar', 'other', 'amd64'],
])('%s has the tag %s and is for %s', (name, tag, architecture) => {
  expect(packageTag(name)).toBe(tag);
  expect(packageArchitecture(name)).toBe(architecture);
});
