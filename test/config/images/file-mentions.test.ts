import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { findImages } from '../../../src/config/images/image-finder.ts';
import { Failure } from '../../../src/lib/failure.ts';
import { formatReference } from '../../../src/registry/oci/reference.ts';

/** Returns what a text names, each with its lines. */
function findingsIn(text: string) {
  const { images, uncertain, refused } = findImages('a', Buffer.from(text));
  return {
    images: images.map(
      ({ reference, places }) => `${places.map(({ line }) => line).join()} ${formatReference(reference)}`,
    ),
    uncertain: uncertain.map(({ place, text: name, reason }) => `${place.line} ${name}: ${reason}`),
    refused: refused.map(({ place, text: name, hint }) => `${place.line}:${place.column} ${name}: ${hint}`),
  };
}

function refusalOf(text: string): Failure {
  try {
    findImages('a', Buffer.from(text));
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was read');
}

function sample(name: string): string {
  return readFileSync(`test/fixtures/images/${name}`, 'utf8');
}

const NONE = { images: [], uncertain: [], refused: [] };
const DIGEST = `sha256:${'a1'.repeat(32)}`;

describe('what other programs print is read', () => {
  it('helm template', () => {
    expect(findingsIn(sample('helm-template.yaml'))).toEqual({
      images: [
        '23 registry.example/shop/worker:2.4.1',
        '35 docker.io/library/busybox:1.37.0',
        '39 docker.io/valkey/valkey:8.1.3',
        `41 quay.io/oliver006/redis_exporter:v1.74.0@${DIGEST}`,
        '53,82 registry.example/shop/web:2.4.1',
        '65 registry.example/shop/model:7',
        '94 docker.io/library/busybox:latest',
      ],
      uncertain: [
        '55 registry.example/shop/sidecar:2.4.1: it is in the field "args"',
        '59 registry.example/shop/job:2.4.1: it is the value of the variable RELATED_IMAGE_JOB',
      ],
      refused: [],
    });
  });

  it('kustomize build, with resources of operators', () => {
    expect(findingsIn(sample('kustomize.yaml'))).toEqual({
      images: [
        '20 quay.io/shop/engine:v3',
        '26 quay.io/shop/exporter:1.10',
        '47 docker.io/library/busybox:1.37.0',
      ],
      uncertain: [
        '22 envoy: it is in a field "image" outside of a container',
        '30 shop/agent:1.20: its fields name no registry',
        '32 quay.io/shop/base:v1: it is in the field "baseImage"',
        '44 auto: Istio puts its own image in place of this word',
      ],
      refused: [],
    });
  });

  it.each([
    [
      'kubeadm.txt',
      [
        '1 registry.k8s.io/kube-apiserver:v1.37.1',
        '2 registry.k8s.io/coredns/coredns:v1.14.6',
        '3 registry.k8s.io/pause:3.10.2',
      ],
    ],
    ['docker-images.txt', ['2 docker.io/library/nginx:1.29', '3 registry.example:5000/a/b:v1']],
    ['crictl-images.txt', ['2 registry.k8s.io/coredns/coredns:v1.14.6', '3 registry.k8s.io/pause:3.10.2']],
    ['ctr-images.txt', ['2 registry.k8s.io/pause:3.10.2']],
  ])('%s', (name, images) => {
    expect(findingsIn(sample(name))).toMatchObject({ images, refused: [] });
  });
});

describe('what people write is read', () => {
  it('a list', () => {
    expect(findingsIn(sample('list.txt'))).toEqual({
      images: [
        '2,11 docker.io/library/nginx:1.29',
        '3 docker.io/library/redis:8',
        '4 docker.io/grafana/grafana:12.1.0',
        '5 quay.io/prometheus/prometheus:v3.5.0',
        '6 quay.io/calico/node:v3.31.0',
        '8 docker.io/bitnami/redis:latest',
        '9 registry.example/team/app:1.0',
        '10 docker.io/library/busybox:latest',
        '12 registry.k8s.io/pause:3.9',
      ],
      uncertain: [],
      refused: [
        '13:1 registry.example/app:$TAG: replace it with its value, such as with "envsubst < FILE"',
        '14:1 registry.example/app:{{ .Values.tag }}: use the output of "helm template"',
        '15:1 registry.example/Team/app:1: repositories are lower case: team/app',
      ],
    });
  });

  it('a compose file: the images of its services, also those that they take over', () => {
    expect(findingsIn(sample('compose.yaml'))).toEqual({
      images: ['9 docker.io/library/postgres:18', '3 registry.example/shop/base:1'],
      uncertain: [
        '18 web: this service builds its image and names none',
        '24 registry.example/shop/admin:3: the service "admin" builds it',
        '25 old: this service takes its image from another file',
      ],
      refused: [
        `21:12 registry.example/shop/api:$${'{API_TAG:-latest}'}: use the output of "docker compose config"`,
      ],
    });
  });

  it('values of a chart', () => {
    expect(findingsIn(sample('values.yaml'))).toEqual({
      images: ['10 docker.io/shop/sidecar:1.30'],
      uncertain: ['3 ghcr.io/shop/web: its fields name no tag'],
      refused: [],
    });
  });

  it('a template of a chart is refused by its expressions', () => {
    expect(findingsIn(sample('deployment-template.yaml'))).toEqual({
      images: ['11 registry.example/shop/fixed:1'],
      uncertain: [],
      refused: [
        '9:18 "{{ .Values.image.repository }}:{{ .Values.image.tag }}": use the output of "helm template"',
      ],
    });
  });

  it('a script', () => {
    expect(findingsIn(sample('pull-images.sh'))).toEqual({
      images: ['3 docker.io/library/nginx:1.29'],
      uncertain: ['5 quay.io/shop/engine:v3: it is in a script, which does not pull it on this line'],
      refused: ['8:15 "$image": replace it with its value, such as with "envsubst < FILE"'],
    });
  });
});

it('a file with services that is no compose file', () => {
  const values = 'services:\n  web: {port: 80}\nimage: quay.io/a/b:1\nsub: {image: nginx:1}\n';
  expect(findingsIn(values)).toEqual({
    images: [],
    uncertain: [
      '3 quay.io/a/b:1: no service of this file uses it',
      '4 nginx:1: no service of this file uses it',
    ],
    refused: [],
  });
});

it('an image that a service of a compose file mounts', () => {
  const mount = '{type: image, source: nginx:1, target: /x}';
  const compose = `services:\n  a:\n    image: b:1\n    volumes:\n    - ${mount}\n    - c:/d\n`;
  expect(findingsIn(compose)).toEqual({
    ...NONE,
    images: ['3 docker.io/library/b:1', '5 docker.io/library/nginx:1'],
  });
});

it('a text of a ConfigMap that is no manifest', () => {
  const doubt = 'it is in a text of a ConfigMap or Secret';
  const data = [
    'executor: |\n    image: quay.io/argo/exec:v3\n    args: [x]',
    'config.toml: |\n    [a]\n    image = "docker.io/b/c:2"',
    'flat: "image: quay.io/d/e:1"',
    'image: quay.io/f/g:1',
  ];
  expect(findingsIn(`kind: ConfigMap\ndata:\n  ${data.join('\n  ')}\n`)).toEqual({
    ...NONE,
    images: ['10 quay.io/f/g:1'],
    uncertain: [
      `4 quay.io/argo/exec:v3: ${doubt}`,
      `8 docker.io/b/c:2: ${doubt}`,
      `9 quay.io/d/e:1: ${doubt}`,
    ],
  });
});

it('the commands of a script that pull, wherever they stand on a line', () => {
  const script = '#!/bin/sh\nset -e; docker pull a/b:1\nretry 3 docker pull c/d:2 >/dev/null\n';
  expect(findingsIn(script)).toEqual({
    images: ['2 docker.io/a/b:1'],
    uncertain: ['3 c/d:2: it is an argument of "retry", which may not pull it'],
    refused: [],
  });
});

test.each<[string, string, Partial<ReturnType<typeof findingsIn>>]>([
  [
    'a list of YAML',
    '- nginx:1\n- redis:8\n',
    { images: ['1 docker.io/library/nginx:1', '2 docker.io/library/redis:8'] },
  ],
  [
    'a list of JSON',
    '["nginx:1", "redis:8"]',
    { images: ['1 docker.io/library/nginx:1', '1 docker.io/library/redis:8'] },
  ],
  [
    'a pod in JSON',
    '{"kind": "Pod",\n"spec": {"containers": [{"image": "nginx:1"}]}}',
    { images: ['2 docker.io/library/nginx:1'] },
  ],
  [
    'lines that grep found',
    '   image: nginx:1\n  - image: redis:8\n',
    { images: ['1 docker.io/library/nginx:1', '2 docker.io/library/redis:8'] },
  ],
  [
    'containers by an alias',
    'kind: Pod\na: &a\n- image: nginx:1\nspec: {containers: *a}\n',
    { images: ['3 docker.io/library/nginx:1'] },
  ],
  [
    'an image by an alias',
    'kind: Pod\na: &a nginx:1\nspec: {containers: [{image: *a}]}\n',
    { images: ['2 docker.io/library/nginx:1'] },
  ],
  [
    'an anchor that is set twice',
    'kind: Pod\na: &a nginx:1\nb: {containers: [{image: *a}]}\nc: &a redis:8\nd: {containers: [{image: *a}]}\n',
    { images: ['2 docker.io/library/nginx:1', '4 docker.io/library/redis:8'] },
  ],
  [
    'a wide colon and wide spaces',
    'kind: Pod\nspec:\n\u3000containers:\n\u3000- name: a\n\u00a0\u00a0\u00a0image：nginx:1\n',
    { images: ['5 docker.io/library/nginx:1'] },
  ],
  [
    'a template without quotes',
    'kind: Pod\nspec:\n  containers:\n  - image: {{ .Values.image }}\n',
    { refused: ['4:12 {{ .Values.image }}: use the output of "helm template"'] },
  ],
  [
    'a template of containers',
    'kind: Pod\nspec:\n  containers: {{ toYaml .Values.containers }}\n',
    { refused: ['3:15 {{ toYaml .Values.containers }}: use the output of "helm template"'] },
  ],
  [
    'a template of another program',
    '{% if a %}\nkind: Pod\n{% endif %}\n',
    { refused: ['1:1 {% if a %}: use the file that the template produces'] },
  ],
  [
    'a note in a list',
    'Note: all of them\nnginx:1\nquay.io/a/b:1\nredis:8\n',
    {
      images: ['2 docker.io/library/nginx:1', '3 quay.io/a/b:1', '4 docker.io/library/redis:8'],
      refused: [expect.stringContaining('1:1 Note: all of them')],
    },
  ],
  [
    'a field of many images',
    'images:\n- quay.io/a/b:1\n- nginx\n',
    { images: ['2 quay.io/a/b:1'], uncertain: [expect.stringContaining('3 nginx: ')] },
  ],
  ['the address of a picture', 'kind: App\nspec: {image: "https://shop.example/logo.png"}\n', NONE],
  [
    'an argument behind "="',
    'kind: Pod\nspec: {containers: [{image: nginx:1, args: ["--x=quay.io/a/b:1"]}]}\n',
    { uncertain: ['2 quay.io/a/b:1: it is in the field "args"'] },
  ],
  [
    'what is certain elsewhere',
    'kind: Pod\nspec: {containers: [{image: quay.io/a/b:1, args: [quay.io/a/b:1]}]}\n',
    { images: ['2 quay.io/a/b:1'], uncertain: [] },
  ],
  [
    'an image that is no text',
    'kind: Pod\nspec: {containers: [{image: 1.10}]}\n',
    { uncertain: ['2 1.10: its value is not a text'] },
  ],
  ['a container without an image', 'kind: Pod\nspec: {containers: [{name: a}, {image: null}]}\n', NONE],
  ['a service without images', 'kind: Service\n', NONE],
])('%s', (_name, text, expected) => {
  expect(findingsIn(text)).toMatchObject(expected);
});

test.each([
  ['an image set', '{"names": ["pause"]}', 'it is an image set, not a list of images', /--image-set/],
  [
    'a versions.json',
    '{"images": [], "components": []}',
    'it is a versions.json, which describes a package',
    /packer/,
  ],
  ['broken YAML', 'kind: Pod\nspec: [a\n', expect.stringMatching(/^it is not YAML: /), /one image per line/],
  ['YAML of many levels', `a: ${'['.repeat(1000)}`, 'its values are nested too deeply', /split/],
])('%s is refused', (_name, text, message, hint) => {
  expect(refusalOf(text)).toMatchObject({
    code: 'IMAGES_UNREADABLE',
    fault: 'usage',
    message,
    hint: expect.stringMatching(hint),
  });
});
