import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseVersions } from '../../src/config/versions.ts';
import {
  type OverlayFile,
  overlayFiles,
  overlayValues,
  readOverlay,
} from '../../src/pack/contents/overlay.ts';
import { resolvePackage } from '../../src/pack/plan/package-resolution.ts';
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
      expect(files.map(({ entry }) => [entry.path, entry.mode.toString(8)])).toEqual([
        ['install.sh', '755'],
        ['kubernetes/conf/10-kubeadm.conf', '644'],
        ['kubernetes/conf/cni/10-bridge.conflist', '644'],
        ['kubernetes/conf/kubelet.service', '644'],
        ['kubernetes/conf/modules.conf', '644'],
        ['kubernetes/conf/package.env', '644'],
        ['kubernetes/conf/sysctl.conf', '644'],
        ['runtime/containerd/conf/config.toml', '644'],
        ['runtime/containerd/conf/containerd.service', '644'],
        ['runtime/containerd/conf/crictl.yaml', '644'],
      ]);
    },
  );

  it('tells install.sh what it is for', async () => {
    const files = await overlayEntries('package', valuesOf([PAUSE], []));
    expect(textOf(files, 'kubernetes/conf/package.env')).toBe(
      'KUBERNETES_VERSION=1.37.1\nARCH=amd64\nPAUSE_IMAGE=registry.k8s.io/pause:3.10.2\n',
    );
  });

  it('has a CNI configuration that is JSON', async () => {
    const files = await overlayEntries('package', valuesOf([PAUSE], []));
    expect(JSON.parse(textOf(files, 'kubernetes/conf/cni/10-bridge.conflist') ?? '')).toMatchObject({
      cniVersion: '1.0.0',
    });
  });

  it.runIf(existsSync('/usr/bin/containerd'))(
    'has a configuration that containerd itself accepts',
    async () => {
      const major = Number(
        / v?(\d+)\./.exec(execFileSync('containerd', ['--version'], { encoding: 'utf8' }))?.[1],
      );
      const files = await overlayEntries('package', { ...valuesOf([PAUSE], []), containerdMajor: major });
      const file = join(scratchFolder(), 'config.toml');
      writeFileSync(file, textOf(files, 'runtime/containerd/conf/config.toml') ?? '');
      const dump = execFileSync('containerd', ['--config', file, 'config', 'dump'], { encoding: 'utf8' });
      expect(dump).toMatch(/sandbox(_image)? = ["']registry\.k8s\.io\/pause:3\.10\.2["']/);
      expect(dump).toContain('SystemdCgroup = true');
    },
  );
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

  it.each<[string, (folder: string) => void, string]>([
    ['a link', (folder) => symlinkSync('/etc/passwd', join(folder, 'link')), 'OVERLAY_UNUSABLE'],
    [
      'an unknown field',
      (folder) => writeFileSync(join(folder, 'x.tmpl'), '{{.Pause}}'),
      'TEMPLATE_MALFORMED',
    ],
    ['a name with a line end', (folder) => writeFileSync(join(folder, 'a\nb'), ''), 'PATH_UNSAFE'],
  ])('refuses %s', async (_, prepare, code) => {
    const folder = scratchFolder();
    prepare(folder);
    await expect(overlayEntries(folder, values)).rejects.toMatchObject({ code });
  });

  it('says so when the folder is not there', async () => {
    await expect(overlayEntries('/nowhere', values)).rejects.toMatchObject({
      code: 'OVERLAY_UNUSABLE',
      message: 'there is no such folder',
    });
  });
});
