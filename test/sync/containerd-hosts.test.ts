import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { installationLines } from '../../src/cli/text/installation-text.ts';
import { parseKubernetesWord } from '../../src/config/kubernetes/word-parser.ts';
import { destinationRepository, type Naming } from '../../src/config/mirror-naming.ts';
import { parseReference, parseRepository } from '../../src/registry/oci/reference.ts';
import { checkInstallation } from '../../src/sync/check/installation.ts';
import { Containerd } from '../support/containerd.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { ImageMaker } from '../support/images/image.ts';
import { PlainPush } from '../support/images/push.ts';
import { describeWith } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';

const run = promisify(execFile);
/** containerd wants root, as on the machines that these files are for. */
const asRoot = it.runIf(process.getuid?.() === 0 || process.env['CI'] === 'true');

const FOLDER = '/etc/containerd/certs.d';
const COREDNS = 'registry.k8s.io/coredns/coredns:v1.14.2';
const FLANNEL = [
  'ghcr.io/flannel-io/flannel:v0.28.9',
  'ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3',
];
const BUSYBOX = 'docker.io/library/busybox:1.37.0';
const IMAGES = [
  ...['apiserver', 'controller-manager', 'scheduler', 'proxy'].map(
    (name) => `registry.k8s.io/kube-${name}:v1.36.3`,
  ),
  'registry.k8s.io/etcd:3.6.8-0',
  COREDNS,
  'registry.k8s.io/pause:3.10.2',
  ...FLANNEL,
  BUSYBOX,
];
const SET = { kubernetes: ['1.36.3'], cni: ['flannel'], extras: [BUSYBOX] };
/** Without it kubeadm could not use a mirror with dashed names. */
const PATCHES = [{ match: 'coredns/coredns', name: 'coredns' }];

describeWith(['docker-registry', 'containerd', 'ctr'], 'containerd, by the files that check prints', () => {
  asRoot.each<[Naming, readonly (readonly [words: RegExp, images: readonly string[]])[]]>([
    ['path', []],
    [
      'basename',
      [
        [/: coredns\/coredns of registry\.k8s\.io, .* \(kubeadm\.yaml already has this name, /, [COREDNS]],
        [
          /: library\/busybox of docker\.io, which the mirror has as 127\..*\/keel\/busybox, .*--naming path/,
          [BUSYBOX],
        ],
        [/: flannel-io\/flannel and .* of ghcr\.io, .* \(write these names into the manifests, /, FLANNEL],
      ],
    ],
    [
      'dashed',
      [
        [
          /: coredns\/coredns of registry\.k8s\.io, which the mirror has as 127\..*\/keel\/coredns, /,
          [COREDNS],
        ],
        [
          /: library\/busybox of docker\.io, which the mirror has as 127\..*\/keel\/library-busybox, /,
          [BUSYBOX],
        ],
        [
          /: flannel-io\/flannel and .* which the mirror has as 127\..*\/keel\/flannel-io-flannel and /,
          FLANNEL,
        ],
      ],
    ],
  ])('pulls what is named %s, but for what the last lines tell', async (naming, unfound) => {
    await using mirror = await DockerRegistry.start('token');
    const patches = naming === 'dashed' ? PATCHES : [];
    const maker = new ImageMaker();
    for (const text of IMAGES) {
      const { host, repository, tag = '' } = parseReference(text);
      const patchName = patches.find(({ match }) => repository === match)?.name;
      const to = destinationRepository(
        { naming, namespace: parseRepository('keel') },
        { host, repository },
        { patchName: patchName === undefined ? undefined : parseRepository(patchName) },
      );
      await new PlainPush(mirror).push(
        to,
        tag,
        await maker.make({ own: [{ name: repository, size: 4000 }] }),
      );
    }
    const route = new SyncRoute({ source: mirror, destination: mirror, set: { ...SET, patches } });
    const checked = await checkInstallation(
      { word: parseKubernetesWord('1.36.3', 'test'), architecture: 'amd64' },
      route.settings({ naming, caFile: AUTHORITY_FILE }),
      route.parts(),
    );
    const lines = installationLines(checked);
    expect(lines.at(-1)).toBe(
      'installable: all 7 images of Kubernetes 1.36.3 and 2 of the network for linux/amd64 are there; machines need no login',
    );
    expect(lines.filter((line) => line.startsWith('not found by hosts.toml: '))).toEqual(
      unfound.map(([words]) => expect.stringMatching(words)),
    );
    // The machines of a test have no /etc of their own.
    const folder = scratchFolder();
    for (const { path, text } of checked.files) {
      const file = join(folder, path.replace(FOLDER, ''));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text.replaceAll(FOLDER, folder));
    }
    copyFileSync(AUTHORITY_FILE, join(folder, 'mirror-ca.crt'));
    await using containerd = await Containerd.start();
    const { PATH = '' } = process.env;
    const pull = (reference: string) => {
      const how = ['--address', containerd.socket, '-n', 'k8s.io', 'images', 'pull', '--hosts-dir', folder];
      // Makers are out of reach.
      const env = { PATH, HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1' };
      return run('ctr', [...how, reference], { env }).then(
        () => 'pulled',
        (error: unknown) => String(error),
      );
    };
    const missing = unfound.flatMap(([, images]) => images);
    for (const image of IMAGES) {
      const told = await pull(image);
      if (missing.includes(image)) expect(told, image).toContain('127.0.0.1:9');
      else expect(told, image).toBe('pulled');
    }
    // kubeadm names the images itself.
    const { imageRepository, dns } = parse(checked.files.at(-1)?.text ?? '');
    expect(await pull(`${dns?.imageRepository ?? imageRepository}/coredns:v1.14.2`)).toBe('pulled');
    expect(await pull(`${imageRepository}/pause:3.10.2`)).toBe('pulled');
  });
});
