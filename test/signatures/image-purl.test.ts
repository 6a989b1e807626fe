import { expect, test } from 'vitest';
import { referenceOfPurl } from '../../src/signatures/image-purl.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each<[purl: string, reference: string | undefined]>([
  // As BuildKit writes them. https://docs.docker.com/build/metadata/attestations/
  ['pkg:docker/busybox@1.37?platform=linux%2Famd64', 'busybox:1.37'],
  ['pkg:docker/busybox@latest', 'busybox'],
  ['pkg:docker/ghcr.io/owner/app@v1.2.3?platform=linux%2Famd64', 'ghcr.io/owner/app:v1.2.3'],
  ['pkg:docker/localhost%3A5000/app@v1', 'localhost:5000/app:v1'],
  [`pkg:docker/owner/app?digest=${DIGEST}&platform=linux%2Famd64`, `owner/app@${DIGEST}`],
  // As their specification has them. https://github.com/package-url/purl-spec/tree/main/types
  ['pkg:docker/cassandra@sha256:abc', 'cassandra@sha256:abc'],
  [
    `pkg:docker/customer/image@${encodeURIComponent(DIGEST)}?repository_url=gcr.io`,
    `gcr.io/customer/image@${DIGEST}`,
  ],
  ['pkg:docker/owner/app@v1?repository_url=hub.docker.com', 'owner/app:v1'],
  ['pkg:docker/owner/app@v1?repository_url=https://ghcr.io/owner/app', 'ghcr.io/owner/app:v1'],
  [
    `pkg:oci/app@${encodeURIComponent(DIGEST)}?repository_url=ghcr.io/owner/app&tag=v1`,
    `ghcr.io/owner/app:v1@${DIGEST}`,
  ],
  ['PKG:OCI/app?repository_url=https://ghcr.io/owner/app', 'ghcr.io/owner/app'],
  ['pkg:oci/app@sha256:abc', undefined],
  ['pkg:npm/app@1', undefined],
  ['pkg:github/owner/app@v1', undefined],
  ['pkg:docker/%E0%A4%A', undefined],
  ['pkg:docker/', undefined],
  ['docker/app', undefined],
])('%s is the image %s', (purl, reference) => {
  expect(referenceOfPurl(purl)).toBe(reference);
});
