import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { parseVersions } from '../../src/config/versions.ts';
import {
  type OverlayFile,
  overlayFiles,
  overlayValues,
  readOverlay,
  requireFreePaths,
} from '../../src/pack/contents/overlay.ts';
import { resolvePackage } from '../../src/pack/plan/package-resolution.ts';
import { describeWith } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

type OverlayValues = ReturnType<typeof overlayValues>;

function valuesOf(images: object[], components: object[], kubelet = '1.37.1'): OverlayValues {
  const document = { images, components: [{ name: 'kubelet', tag: kubelet }, ...components] };
  const versions = parseVersions(parseDocument('versions.json', JSON.stringify(document)));
  return overlayValues(resolvePackage(versions, { imageSource: { kind: 'upstream' } }));
}

async function overlayEntries(folder: string, values: OverlayValues): Promise<OverlayFile[]> {
  return overlayFiles(await readOverlay(folder), values);
}

function textOf(files: readonly OverlayFile[], path: string): string | undefined {
  const content = files.find(({ entry }) => entry.path === path)?.entry.content;
  return content?.kind === 'bytes' ? Buffer.from(content.bytes).toString('utf8') : undefined;
}

const PAUSE = { name: 'pause', tag: 'auto' };

describe('overlayValues', () => {
  it.each([
    ['the packed pause image', [{ name: 'pause', tag: '3.9' }], [], 'registry.k8s.io/pause:3.9', 2],
    ...[
      { name: 'registry.example/google_containers/pause' },
      { name: 'pause', image: 'docker.io/rancher/mirrored-pause' },
      { name: 'sandbox', image: 'registry.cn-hangzhou.aliyuncs.com/google_containers/pause' },
      { name: 'registry.example/old/pause-amd64' },
    ].map((entry): [string, object[], object[], string, number] => [
      `the packed pause image, whatever it is called: ${Object.values(entry).join(' at ')}`,
      [
        { name: 'kube-proxy', tag: 'auto' },
        { ...entry, tag: '3.10.2' },
      ],
      [],
      `${entry.image ?? entry.name}:3.10.2`,
      2,
    ]),
    [
      'of two the one that kubeadm wants',
      [
        { name: 'registry.example/library/pause', tag: '3.9' },
        { name: 'registry.example/kube/pause', tag: '3.10.2' },
      ],
      [],
      'registry.example/kube/pause:3.10.2',
      2,
    ],
    [
      'the containerd that is packed under a name of its own',
      [PAUSE],
      [
        {
          name: 'containerd-static',
          tag: '1.7.34',
          uri: 'https://e.org/containerd-{{.Tag}}.tar.gz',
          path: 'runtime/containerd/bin/',
          sha256: 'none',
        },
      ],
      'registry.k8s.io/pause:3.10.2',
      1,
    ],
    ["kubeadm's where none is packed", [], [], 'registry.k8s.io/pause:3.10.2', 2],
    [
      'the containerd that is packed',
      [PAUSE],
      [{ name: 'containerd', tag: 'v1.7.34' }],
      'registry.k8s.io/pause:3.10.2',
      1,
    ],
  ])('gives %s', (_, images, components, pauseImage, containerdMajor) => {
    expect(valuesOf(images, components)).toMatchObject({ pauseImage, containerdMajor, arch: 'amd64' });
  });
});

describe("the repository's own overlay", () => {
  it.each([
    [2, 'version = 3', "sandbox = 'registry.k8s.io/pause:3.10.2'"],
    [1, 'version = 2', 'sandbox_image = "registry.k8s.io/pause:3.10.2"'],
  ])(
    'has the configuration of containerd %i with the packed pause image',
    async (containerdMajor, version, sandbox) => {
      const files = await overlayEntries('package', { ...valuesOf([PAUSE], []), containerdMajor });
      const config = textOf(files, 'runtime/containerd/conf/config.toml');
      expect(config).toContain(version);
      expect(config).toContain(sandbox);
      const others = files.filter(({ entry }) => !entry.path.startsWith('install/'));
      expect(others.map(({ entry }) => [entry.path, entry.mode.toString(8)])).toEqual([
        ['install.sh', '755'],
        ['kubernetes/conf/10-kubeadm.conf', '644'],
        ['kubernetes/conf/cni/10-bridge.conflist', '644'],
        ['kubernetes/conf/kubelet.service', '644'],
        ['kubernetes/conf/modules.conf', '644'],
        ['kubernetes/conf/sysctl.conf', '644'],
        ['runtime/containerd/conf/config.toml', '644'],
        ['runtime/containerd/conf/containerd.service', '644'],
        ['runtime/containerd/conf/crictl.yaml', '644'],
      ]);
    },
  );

  it.each([
    // https://github.com/kubernetes/release/tree/master/cmd/krel/templates/latest/kubelet
    ['kubernetes/conf/10-kubeadm.conf', 'EnvironmentFile=-/etc/default/kubelet'],
    ['kubernetes/conf/10-kubeadm.conf', 'EnvironmentFile=-/etc/sysconfig/kubelet'],
    // The cgroup driver asks systemd, over D-Bus, for each container.
    ['runtime/containerd/conf/containerd.service', 'After=network.target dbus.service local-fs.target'],
  ])('fits the machines of each family, as packages of upstream do: %s has %s', async (path, line) => {
    const files = await overlayEntries('package', valuesOf([PAUSE], []));
    expect(textOf(files, path)?.split('\n')).toContain(line);
  });

  // kube-proxy writes net/netfilter/nf_conntrack_max before it makes a rule, and asks for ip_vs only in its mode.
  it('loads the modules that its parts need, one a line', async () => {
    const files = await overlayEntries('package', valuesOf([PAUSE], []));
    expect(textOf(files, 'kubernetes/conf/modules.conf')).toBe('overlay\nbr_netfilter\nnf_conntrack\n');
  });

  it('has a CNI configuration that is JSON', async () => {
    const files = await overlayEntries('package', valuesOf([PAUSE], []));
    expect(JSON.parse(textOf(files, 'kubernetes/conf/cni/10-bridge.conflist') ?? '')).toMatchObject({
      cniVersion: '1.0.0',
    });
  });

  describeWith(['containerd'], 'its configuration of containerd', () => {
    /** What containerd itself makes of it, with a file of a person's own beside it. */
    async function dumped(own: (major: number) => string): Promise<string> {
      const version = execFileSync('containerd', ['--version'], { encoding: 'utf8' });
      const major = Number(/ v?(\d+)\./.exec(version)?.[1]);
      const files = await overlayEntries('package', { ...valuesOf([PAUSE], []), containerdMajor: major });
      const folder = scratchFolder();
      const file = join(folder, 'config.toml');
      const text = textOf(files, 'runtime/containerd/conf/config.toml') ?? '';
      writeFileSync(file, text.replace('/etc/containerd/conf.d/', `${folder}/conf.d/`));
      mkdirSync(join(folder, 'conf.d'));
      writeFileSync(join(folder, 'conf.d/own.toml'), own(major));
      return execFileSync('containerd', ['--config', file, 'config', 'dump'], { encoding: 'utf8' });
    }

    const PAUSE_LINE = /sandbox(_image)? = ["']registry\.k8s\.io\/pause:3\.10\.2["']/;

    it.each<[string, (major: number) => string, RegExp]>([
      [
        'of the daemon',
        (major) => `version = ${major + 1}\n[debug]\n  level = "trace"\n`,
        /level = ["']trace["']/,
      ],
      [
        'of a plugin',
        (major) =>
          major === 1
            ? 'version = 2\n[plugins."io.containerd.gc.v1.scheduler"]\n  startup_delay = "17s"\n'
            : "version = 3\n[plugins.'io.containerd.cri.v1.images']\n  max_concurrent_downloads = 17\n",
        /startup_delay = "17s"|max_concurrent_downloads = 17/,
      ],
    ])("is taken by it, with a setting %s in a file of one's own", async (_, own, setting) => {
      const dump = await dumped(own);
      expect(dump).toMatch(setting);
      expect(dump).toMatch(PAUSE_LINE);
      expect(dump).toContain('SystemdCgroup = true');
    });
  });
});

describe('the files of an overlay folder', () => {
  const values: OverlayValues = {
    pauseImage: 'p',
    kubernetesVersion: '1.37.1',
    arch: 'arm64',
    containerdMajor: 2,
  };

  it('takes files as they are, and keeps which are programs', async () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, 'tools'));
    writeFileSync(join(folder, 'tools/run'), 'echo {{.NotATemplate}}');
    chmodSync(join(folder, 'tools/run'), 0o700);
    writeFileSync(join(folder, 'arch.tmpl'), 'for {{ .Arch }}');
    const files = await overlayEntries(folder, values);
    expect(files.map(({ entry }) => [entry.path, entry.mode])).toEqual([
      ['arch', 0o644],
      ['tools/run', 0o755],
    ]);
    expect(textOf(files, 'arch')).toBe('for arm64');
    expect(textOf(files, 'tools/run')).toBe('echo {{.NotATemplate}}');
  });

  it('refuses an unknown field, and lists the known ones', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'x.tmpl'), '{{.Pause}}');
    await expect(overlayEntries(folder, values)).rejects.toMatchObject({
      code: 'TEMPLATE_MALFORMED',
      message: '{{.Pause}} is not a known field',
      hint: 'the fields are {{.PauseImage}}, {{.KubernetesVersion}}, {{.Arch}}',
    });
  });

  it.each<[string, (folder: string) => void, string]>([
    ['a link', (folder) => symlinkSync('/etc/passwd', join(folder, 'link')), 'OVERLAY_UNUSABLE'],
    [
      'a list that packer writes itself',
      (folder) => {
        mkdirSync(join(folder, 'install'));
        writeFileSync(join(folder, 'install/Files'), '');
      },
      'OVERLAY_UNUSABLE',
    ],
    [
      'something among the images',
      (folder) => {
        mkdirSync(join(folder, 'images'));
        writeFileSync(join(folder, 'images/app.tar'), '');
      },
      'OVERLAY_UNUSABLE',
    ],
    ['sums of its own', (folder) => writeFileSync(join(folder, 'SHA256SUMS'), ''), 'OVERLAY_UNUSABLE'],
    ['a name with a line end', (folder) => writeFileSync(join(folder, 'a\nb'), ''), 'PATH_UNSAFE'],
  ])('refuses %s', async (_, prepare, code) => {
    const folder = scratchFolder();
    prepare(folder);
    await expect(overlayEntries(folder, values)).rejects.toMatchObject({ code });
  });

  it.each([
    ['kubernetes/bin/Kubelet', 'kubelet'],
    ['runtime/containerd/bin/crictl', 'cri-tools'],
  ])('refuses %s where a component puts one, before that is fetched', (path, component) => {
    const document = {
      components: [
        { name: 'kubelet', tag: '1.37.1' },
        { name: 'cri-tools', tag: 'auto' },
      ],
    };
    const versions = parseVersions(parseDocument('versions.json', JSON.stringify(document)));
    const { components } = resolvePackage(versions, { imageSource: { kind: 'upstream' } });
    const source = { path, about: path, content: Buffer.from(''), mode: 0o755 };
    expect(() => requireFreePaths(overlayFiles([source], values), { components, addons: [] })).toThrow(
      expect.objectContaining({
        code: 'OVERLAY_UNUSABLE',
        about: path,
        message: expect.stringContaining(component),
      }),
    );
    const other = overlayFiles([{ ...source, path: 'kubernetes/bin/tool' }], values);
    expect(() => requireFreePaths(other, { components, addons: [] })).not.toThrow();
  });

  it('refuses the manifest of an add-on, whose images would be others then', () => {
    const path = 'kubernetes/addons/flannel.yaml';
    const versions = parseVersions(parseDocument('versions.json', '{"addons": ["flannel"]}'));
    const kubeVersion = parseKubernetesVersion('1.37.1', 'test');
    const plan = resolvePackage(versions, { kubeVersion, imageSource: { kind: 'upstream' } });
    const files = overlayFiles([{ path, about: path, content: Buffer.from(''), mode: 0o644 }], values);
    expect(() => requireFreePaths(files, plan)).toThrow(
      expect.objectContaining({ code: 'OVERLAY_UNUSABLE', about: path }),
    );
  });

  it("takes files in place of the installer's own", () => {
    const own = ['install.sh', 'install/text.sh'].map((path) => {
      return { path, about: path, content: Buffer.from(''), mode: 0o644 };
    });
    expect(overlayFiles(own, values)).toHaveLength(2);
  });

  it('says so when the folder is not there', async () => {
    await expect(overlayEntries('/nowhere', values)).rejects.toMatchObject({
      code: 'OVERLAY_UNUSABLE',
      message: 'no such folder',
      hint: 'check --package',
    });
  });
});
