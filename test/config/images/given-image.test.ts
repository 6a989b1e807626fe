import { expect, test } from 'vitest';
import { parseGivenImage, readingNotice } from '../../../src/config/images/given-image.ts';
import { Failure } from '../../../src/lib/failure.ts';
import { formatReference } from '../../../src/registry/oci/reference.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;

test.each([
  ['nginx', 'docker.io/library/nginx:latest'],
  ['grafana/grafana:12.1.0', 'docker.io/grafana/grafana:12.1.0'],
  [' quay.io/calico/node:v3.31.0\n', 'quay.io/calico/node:v3.31.0'],
  [`nginx:1.29@${DIGEST}`, `docker.io/library/nginx:1.29@${DIGEST}`],
  [`nginx@${DIGEST}`, `docker.io/library/nginx@${DIGEST}`],
  ['localhost:5000/app', 'localhost:5000/app:latest'],
  ['k8s.gcr.io/pause:3.9', 'registry.k8s.io/pause:3.9'],
  ['docker pull nginx:1.29', 'docker.io/library/nginx:1.29'],
  ['sudo crictl pull registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
  ['“nginx:1.29”', 'docker.io/library/nginx:1.29'],
  ["'nginx:1.29',", 'docker.io/library/nginx:1.29'],
  ['registry.example／app：1.0', 'registry.example/app:1.0'],
  ['docker://registry.example/app:1.0', 'registry.example/app:1.0'],
  ['https://hub.docker.com/r/grafana/grafana', 'docker.io/grafana/grafana:latest'],
  ['hub.docker.com/_/nginx', 'docker.io/library/nginx:latest'],
  ['https://quay.io/repository/calico/node?tab=tags', 'quay.io/calico/node:latest'],
  ['github.com/flannel-io/flannel/pkgs/container/flannel', 'ghcr.io/flannel-io/flannel:latest'],
])('%s is %s', (text, name) => {
  expect(formatReference(parseGivenImage(text))).toBe(name);
});

test.each([
  ['nginx', 'it has no tag, so the tag is latest'],
  [
    'k8s.gcr.io/pause',
    'k8s.gcr.io has been frozen since 2023 and is read as registry.k8s.io; it has no tag, so the tag is latest',
  ],
  ['nginx:1.29', undefined],
  [`nginx@${DIGEST}`, undefined],
])('what %s leaves open is reported', (text, notice) => {
  expect(readingNotice(text, parseGivenImage(text))).toBe(notice);
});

test.each([
  ['', 'it is empty'],
  ['nginx:$TAG', 'it contains the variable $TAG'],
  ['https://registry.example/team/app', 'this is an address and not the name of an image'],
  ['registry.example/Team/app', '"Team" cannot be part of a repository name'],
  ['nginx:', 'the tag after ":" is empty'],
  ['nginx:latest@', '"" after "@" is not a digest'],
  [DIGEST, 'it is a digest without the name of an image'],
  ['a1'.repeat(32), 'it is a digest without the name of an image'],
  [
    'https://robot:hush@hub.docker.com/r/a/b',
    'it contains a user name and a password, which are not read from there',
  ],
])('%j is refused with what to write', (text, message) => {
  const error = (() => {
    try {
      return parseGivenImage(text);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(Failure);
  expect(error).toMatchObject({ code: 'REFERENCE_MALFORMED', fault: 'usage', message });
  expect(error).toHaveProperty('hint', expect.stringMatching(/./));
});
