import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { packerOfFile, runIn } from '../support/built-packer.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { NEWEST, NEXT } from '../support/upstream/releases.ts';
import { UpstreamService } from '../support/upstream/upstream-service.ts';

const packer = packerOfFile();
const NAME = `kube-${NEXT}-amd64.tar.gz`;
const KUBELET = `dl.k8s.io/release/v${NEXT}/bin/linux/amd64/kubelet`;
const MANIFEST = `apiVersion: v1
kind: Pod
metadata: { name: mine }
spec: { containers: [] }
`;
const VERSIONS = {
  images: [],
  components: [
    { name: 'kubelet', tag: 'auto' },
    { name: 'runc', tag: NEWEST.runc },
  ],
};

/** A component or an add-on as keel-package.json has it. */
interface Part {
  readonly name: string;
  readonly url: string;
  readonly mirror?: string;
  readonly check: { readonly kind: string; readonly source?: string; readonly mirrorOnly?: string };
}

async function world(versions: object = VERSIONS) {
  const stack = new AsyncDisposableStack();
  const makers = stack.use(await UpstreamService.start());
  const folder = scratchFolder();
  writeFileSync(join(folder, 'versions.json'), JSON.stringify(versions));
  const run = (...more: string[]) => {
    const line = ['--kube-version', NEXT, '--retry', '1', '--image-output', 'images', ...more];
    return runIn(folder, packer.program, line, { ...makers.environment, NO_PROXY: '127.0.0.1' });
  };
  const contents = (): { components: readonly Part[]; addons: readonly Part[] } =>
    JSON.parse(execFileSync('tar', ['-xzOf', join(folder, NAME), 'keel-package.json'], { encoding: 'utf8' }));
  return { makers, folder, run, contents, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('a package through a mirror of the makers', () => {
  it('has files of the mirror, checksums of the makers, and the addresses of both', async () => {
    await using all = await world();
    const { makers } = all;
    const said = await all.run(
      '--upstream-mirror',
      makers.mirror,
      '--download-output',
      'one',
      '--lock',
      'lock',
    );
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toContain(`kubelet ${NEXT} from ${makers.mirror}/${KUBELET}`);
    const [kubelet] = all.contents().components;
    expect(kubelet).toMatchObject({
      name: 'kubelet',
      url: `https://${KUBELET}`,
      mirror: `${makers.mirror}/${KUBELET}`,
      check: { kind: 'published', source: `https://${KUBELET}.sha256` },
    });
    const got = makers.requests.filter(({ method }) => method === 'GET');
    expect(
      got.filter(({ path }) => path.includes('sum') || path.endsWith('.sha256')).map(({ at }) => at),
    ).toEqual(expect.arrayContaining(['dl.k8s.io', 'github.com']));
    expect(got.filter(({ path }) => path.endsWith('/kubelet')).map(({ at }) => at)).toEqual(['mirror']);

    // The same package, from whoever it is had then.
    const again = await all.run('--download-output', 'two', '--lock', 'lock', '--output', 'again');
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('the package matches the lock lock'),
    });
  });

  it('that alone can be reached says that nobody else vouches for it', async () => {
    await using all = await world();
    const { makers } = all;
    makers.wall('reset');
    const said = await all.run('--upstream-mirror', makers.mirror, '--download-output', 'downloads');
    expect(said.code).toBe(0);
    expect(said.stderr).toContain(
      'warning: 2 parts are unverified: 2 components; keel-package.json in the package lists the reasons\n',
    );
    expect(all.contents().components[0]?.check).toMatchObject({
      kind: 'published',
      source: `${makers.mirror}/${KUBELET}.sha256`,
      mirrorOnly: expect.stringContaining('dl.k8s.io: '),
    });
  });

  it('is none where a file is not what its maker published', async () => {
    await using all = await world();
    const { makers } = all;
    const path = KUBELET.replace('dl.k8s.io', 'other.test');
    // With a checksum of its own beside it.
    makers.putSummed(path, 'another program');
    const other = `dl.k8s.io=${makers.mirror}/other.test`;
    const said = await all.run('--upstream-mirror', other, '--download-output', 'downloads');
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(`from ${makers.mirror}/${path}: expected sha256:`);
    expect(existsSync(join(all.folder, NAME))).toBe(false);
  });

  it('is advised where upstream is out of reach, for each component by name', async () => {
    await using all = await world();
    all.makers.wall('reset');
    const said = await all.run('--download-output', 'downloads', '--retry', '1');
    expect(said.code).toBe(1);
    for (const name of ['kubelet', 'runc']) {
      expect(said.stderr).toMatch(new RegExp(`${name} \\S+: .*\\(.*set a mirror with --upstream-mirror`));
    }
  });

  it('says what to pin where nobody who can be reached has a checksum, and what the mirror lacks', async () => {
    const addon = { name: 'metrics-server' };
    await using all = await world({ images: [], components: VERSIONS.components, addons: [addon] });
    const { makers } = all;
    makers.wall('reset');
    const line = ['--dry-run', '--upstream-mirror', makers.mirror, '--download-output', 'downloads'] as const;
    const unpinned = await all.run(...line);
    expect(unpinned.code).toBe(1);
    expect(unpinned.stderr).toMatch(
      /metrics-server v[\d.]+: no checksum found to verify it with; tried https:\/\/api\.github\.com\/\S+ \(api\.github\.com: .*\) \(pin it with "sha256"/,
    );
    const pinned = { ...addon, sha256: digestHex(digestOf(Buffer.from(MANIFEST))) };
    writeFileSync(join(all.folder, 'versions.json'), JSON.stringify({ ...VERSIONS, addons: [pinned] }));
    const lacking = await all.run(...line);
    expect(lacking.code).toBe(1);
    expect(lacking.stderr).toMatch(
      /components\.yaml: answered with status 404 \(the mirror of --upstream-mirror does not have it/,
    );
    const tag = /metrics-server\/releases\/download\/(v[\d.]+)\//.exec(lacking.stderr)?.[1];
    makers.put(
      `github.com/kubernetes-sigs/metrics-server/releases/download/${tag}/components.yaml`,
      MANIFEST,
    );
    expect(await all.run(...line)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('metrics-server'),
    });
  });

  it('asks no maker for what is pinned, neither of a component nor of an add-on', async () => {
    const sha256 = digestHex(digestOf(Buffer.from(MANIFEST)));
    const uri = 'https://raw.githubusercontent.com/me/mine/v1/mine.yaml';
    const program = '#!/bin/sh\necho tool\n';
    await using all = await world({
      images: [],
      components: [
        {
          name: 'tool',
          tag: '1',
          uri: 'https://github.com/me/tool/tool',
          sha256: digestHex(digestOf(Buffer.from(program))),
        },
      ],
      addons: [{ name: 'mine', tag: 'v1', uri, sha256 }],
    });
    const { makers } = all;
    makers.put('raw.githubusercontent.com/me/mine/v1/mine.yaml', MANIFEST);
    makers.put('github.com/me/tool/tool', program);
    const said = await all.run('--upstream-mirror', makers.mirror, '--download-output', 'downloads');
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(makers.proxy.asked).toEqual([]);
    expect(all.contents().addons).toMatchObject([
      { name: 'mine', url: uri, mirror: `${makers.mirror}/raw.githubusercontent.com/me/mine/v1/mine.yaml` },
    ]);
  });
});
