import { describe, expect, it } from 'vitest';
import { failureCode } from '../../src/lib/failure.ts';
import { type AddonManifest, readManifest } from '../../src/pack/manifest/addon-manifest.ts';
import { formatReference } from '../../src/registry/oci/reference.ts';
import { CALICO, FLANNEL, LOCAL_PATH, METRICS_SERVER, pod } from './manifests.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

/** Returns the names of images with what else is known of each. */
function namesOf({ images }: AddonManifest): string[] {
  return images.map(({ name, digest, untagged }) =>
    [formatReference(name), digest === undefined ? '' : `@${digest.slice(0, 10)}`, untagged ?? '']
      .filter((part) => part !== '')
      .join(' '),
  );
}

/** Returns the lines that were changed: the old ones after "-", the new ones after "+". */
function changes(text: string, { packed }: AddonManifest): string[] {
  const [before, after] = [text.split('\n'), packed.split('\n')];
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `-${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+${line}`),
  ];
}

function refusal(text: string): string {
  try {
    readManifest(text, 'mine');
  } catch (error) {
    expect(failureCode(error)).toBe('MANIFEST_UNUSABLE');
    return error instanceof Error && 'about' in error ? `${error.about}: ${error.message}` : '';
  }
  return '';
}

describe('the images of known add-ons', () => {
  it.each<[string, string, string[], string | undefined]>([
    [
      'flannel',
      FLANNEL,
      ['ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3', 'ghcr.io/flannel-io/flannel:v0.28.9'],
      '10.244.0.0/16',
    ],
    [
      'calico',
      CALICO,
      [
        'quay.io/calico/cni:v3.32.1',
        'quay.io/calico/node:v3.32.1',
        'quay.io/calico/kube-controllers:v3.32.1',
      ],
      '192.168.0.0/16',
    ],
    ['metrics-server', METRICS_SERVER, ['registry.k8s.io/metrics-server/metrics-server:v0.9.0'], undefined],
    [
      'local-path, one of them in the text of a ConfigMap',
      LOCAL_PATH,
      ['docker.io/rancher/local-path-provisioner:v0.0.37', 'docker.io/library/busybox:latest latest'],
      undefined,
    ],
  ])('%s', (_, text, images, network) => {
    const manifest = readManifest(text, 'an add-on');
    expect(namesOf(manifest)).toEqual(images);
    expect(manifest.podNetwork?.range).toBe(network);
    expect(manifest).toMatchObject({ packed: text, edits: [] });
  });
});

describe('an image is found wherever a cluster would pull it for', () => {
  const container = (image: string): unknown => ({ containers: [{ name: 'a', image }] });
  const template = { template: { spec: container('a.example/a:1') } };
  it.each<[string, unknown, string[]]>([
    ['a pod', { kind: 'Pod', spec: container('nginx') }, ['docker.io/library/nginx:latest latest']],
    ['an organisation of Docker Hub', { kind: 'Pod', spec: container('me/app:2') }, ['docker.io/me/app:2']],
    [
      'a job of a cron job',
      { kind: 'CronJob', spec: { jobTemplate: { spec: template } } },
      ['a.example/a:1'],
    ],
    ['a template of pods', { kind: 'PodTemplate', ...template }, ['a.example/a:1']],
    [
      'containers of every kind',
      {
        kind: 'Pod',
        spec: {
          initContainers: [{ image: 'a.example/init:1' }],
          containers: [{ image: 'a.example/a:1' }, { image: 'a.example/a:1' }],
          ephemeralContainers: [{ image: 'a.example/debug:1' }],
        },
      },
      ['a.example/init:1', 'a.example/a:1', 'a.example/debug:1'],
    ],
    ['a list', { kind: 'List', items: [{ kind: 'StatefulSet', spec: template }] }, ['a.example/a:1']],
    [
      'a resource of an operator',
      { kind: 'Prometheus', spec: container('a.example/x:1') },
      ['a.example/x:1'],
    ],
    [
      'a volume that is an image',
      { kind: 'Pod', spec: { volumes: [{ name: 'v', image: { reference: 'a.example/v:1' } }] } },
      ['a.example/v:1'],
    ],
    [
      'what a program is told to run, where nothing else can be meant',
      {
        kind: 'Pod',
        spec: {
          containers: [
            {
              image: 'a.example/a:1',
              args: [
                '--solver-image=a.example/solver:1',
                '--helper-image',
                'a.example/helper:1',
                '--image=x',
              ],
              env: [
                { name: 'RELATED_IMAGE_X', value: 'a.example/related:1' },
                { name: 'IMAGE_POLICY', value: 'Always' },
                { name: 'OTHER', value: 'a.example/other:1' },
              ],
            },
          ],
        },
      },
      ['a.example/a:1', 'a.example/related:1', 'a.example/solver:1', 'a.example/helper:1'],
    ],
    [
      'no definition of a resource',
      { kind: 'CustomResourceDefinition', spec: container('a.example/a:1') },
      [],
    ],
    [
      'a pod in one line of a ConfigMap',
      { kind: 'ConfigMap', data: { x: JSON.stringify({ kind: 'Pod', spec: container('a.example/a:1') }) } },
      ['a.example/a:1'],
    ],
    ['no text of a ConfigMap that is none', { kind: 'ConfigMap', data: { x: 'image: {{' } }, []],
  ])('%s', (_, document, images) => {
    const given = JSON.stringify({ apiVersion: 'v1', ...Object(document) });
    expect(namesOf(readManifest(`---\n${given}\n`, 'mine'))).toEqual(images);
  });
});

describe('a manifest is packed as it is, but for what would make a cluster pull', () => {
  it.each<[string, string, string[], string[]]>([
    [
      'a digest, as an image is packed for one platform',
      pod(`image: "a.example/a:1@${DIGEST}"`),
      ['a.example/a:1 @sha256:aaa'],
      [`-    image: "a.example/a:1@${DIGEST}"`, '+    image: "a.example/a:1"'],
    ],
    [
      'a digest alone, which becomes a tag',
      pod(`image: busybox@${DIGEST}`),
      ['docker.io/library/busybox:digest-aaaaaaaaaaaa @sha256:aaa digest'],
      [`-    image: busybox@${DIGEST}`, '+    image: busybox:digest-aaaaaaaaaaaa'],
    ],
    [
      'a policy that always pulls',
      pod('image: a.example/a:1', 'imagePullPolicy: Always # why not'),
      ['a.example/a:1'],
      ['-    imagePullPolicy: Always # why not', '+    imagePullPolicy: IfNotPresent # why not'],
    ],
    [
      'no policy, where the tag is latest',
      pod('image: a.example/a:latest # newest', 'tty: true'),
      ['a.example/a:latest'],
      [
        '-    image: a.example/a:latest # newest',
        '+    image: a.example/a:latest',
        '+    imagePullPolicy: IfNotPresent # newest',
      ],
    ],
    [
      'a policy that is empty, where the tag is latest',
      pod('image: a.example/a', 'imagePullPolicy:', 'tty: true'),
      ['a.example/a:latest latest'],
      ['-    imagePullPolicy:', '+    imagePullPolicy: "IfNotPresent"'],
    ],
    [
      'a policy of no text, where the tag is latest',
      pod('image: a.example/a', 'imagePullPolicy: ""'),
      ['a.example/a:latest latest'],
      ['-    imagePullPolicy: ""', '+    imagePullPolicy:  "IfNotPresent"'],
    ],
    [
      'both in JSON',
      '{"kind": "Pod", "spec": {"containers": [{"image": "a", "name": "a"}]}}',
      ['docker.io/library/a:latest latest'],
      [
        '-{"kind": "Pod", "spec": {"containers": [{"image": "a", "name": "a"}]}}',
        '+{"kind": "Pod", "spec": {"containers": [{"image": "a", "imagePullPolicy": "IfNotPresent", "name": "a"}]}}',
      ],
    ],
    [
      'in the text of a ConfigMap too',
      LOCAL_PATH.replace('busybox\n        imagePullPolicy: IfNotPresent', 'busybox'),
      ['docker.io/rancher/local-path-provisioner:v0.0.37', 'docker.io/library/busybox:latest latest'],
      ['+        imagePullPolicy: IfNotPresent'],
    ],
    [
      'what a program is told',
      pod('image: a.example/a:1', `args: ["--x-image=a.example/b:2@${DIGEST}"]`),
      ['a.example/a:1', 'a.example/b:2 @sha256:aaa'],
      [`-    args: ["--x-image=a.example/b:2@${DIGEST}"]`, '+    args: ["--x-image=a.example/b:2"]'],
    ],
    [
      'nothing, where the policy says so',
      pod('image: a.example/a', 'imagePullPolicy: Never'),
      ['a.example/a:latest latest'],
      [],
    ],
  ])('%s', (_, text, images, changed) => {
    const manifest = readManifest(text, 'mine');
    expect(namesOf(manifest)).toEqual(images);
    expect(changes(text, manifest)).toEqual(changed);
    expect(manifest.edits).toHaveLength(changed.length === 0 ? 0 : 1);
    expect(readManifest(manifest.packed, 'again')).toMatchObject({ packed: manifest.packed, edits: [] });
  });

  it('metrics-server trusts kubelets, whose certificates kubeadm leaves unsigned, and is asked once', () => {
    const wish = { trustingContainer: 'metrics-server' };
    const manifest = readManifest(METRICS_SERVER, 'metrics-server', wish);
    expect(changes(METRICS_SERVER, manifest)).toEqual(['+        - --kubelet-insecure-tls']);
    expect(readManifest(manifest.packed, 'again', wish).packed).toBe(manifest.packed);
  });
});

it('keys that are numbers are no key twice, such as ports in a ConfigMap', () => {
  const text = 'kind: ConfigMap\ndata:\n  9000: a/b:80\n  9001: a/c:80\n  true: x\n';
  expect(readManifest(text, 'mine').packed).toBe(text);
});

describe('a manifest is refused, with its line', () => {
  it.each<[string, string, RegExp]>([
    ['a template', pod('image: "{{ .Values.image }}"'), /^mine, line 5: "\{\{ \.Values\.image \}\}": /],
    ['a template that is not even YAML', '{{- if .Values.x }}\nkind: Pod\n', /^mine, line 1: it is not YAML/],
    ['an image that is no text', pod('image: 17'), /^mine, line 5: one of its "image" is not an image name/],
    ['a control character in a name', pod('image: "a\\u001b[31m:1"'), /^mine, line 5: "a\\u001b\[31m:1": /],
    [
      'one name with two digests',
      pod(`image: a:1@${DIGEST}`, '---', `image: a:1@${OTHER}`).replace('    ---\n', '  - name: b\n'),
      /^mine: it contains docker.io\/library\/a:1 with two digests/,
    ],
    ['an alias', 'a: &a {image: x}\ncontainers: [*a]\n', /^mine, line 2: it contains an alias, \*a$/],
    ['merged maps', 'a: {<<: {image: x}}\n', /^mine, line 1: it merges maps with <<$/],
    [
      'a key twice, of which readers take either',
      'kind: Pod\nkind: List\n',
      /^mine, line 2: it contains "kind" twice/,
    ],
    [
      'a bomb of aliases',
      `a: &a [x]\n${Array.from({ length: 40 }, (_, i) => `b${i}: &b${i} [*a, *a]`).join('\n')}`,
      /alias/,
    ],
    ['a key twice, once as a number', 'kind: ConfigMap\ndata: {"80": a, 80: b}\n', /it contains "80" twice/],
    ['nothing', '# kind: Pod\n---\n', /^mine: it contains nothing to apply$/],
    [
      'a page about an error',
      '404: Not Found\n',
      /^mine, line 1: it is not a manifest: this object has no "kind"$/,
    ],
    [
      'values of a chart after a pod',
      'kind: Pod\n---\nimage: {tag: v1}\n',
      /^mine, line 3: it is not a manifest/,
    ],
    ['10 MB', '#'.repeat(10 * 1024 * 1024), /^mine: it is larger than 4 MiB$/],
    [
      'millions of values',
      '- a\n'.repeat(1024 * 1024 - 1),
      /^mine, line \d+: it has more than 500,000 keys, values and separators$/,
    ],
    ['lists that are nested too deeply', `a: ${'['.repeat(50_000)}`, /^mine, line 1: its values are nested/],
    [
      'points of lists that would end the process',
      '- '.repeat(50_000),
      /^mine, line 1: its values are nested/,
    ],
    [
      'an edit in a text that is folded',
      'kind: ConfigMap\ndata:\n  x: "kind: Pod\\nspec:\\n  containers:\\n  - image: a\\n"\n',
      /^mine, x: .* packer cannot do in YAML written in this form$/,
    ],
  ])('%s', (_, text, message) => {
    expect(refusal(text)).toMatch(message);
  });

  it.each([pod('image: "{{ .Values.image }}"'), '{{- if .Values.x }}\nkind: Pod\n'])(
    'with how to render it: %j',
    (template) => {
      expect(() => readManifest(template, 'mine')).toThrow(
        expect.objectContaining({
          code: 'MANIFEST_UNUSABLE',
          hint: expect.stringContaining('it looks like a template'),
        }),
      );
    },
  );
});
