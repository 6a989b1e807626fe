import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseVersions } from '../../src/config/versions.ts';
import { milliseconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import { writeArchive } from '../../src/pack/archive/write-archive.ts';
import { componentFiles } from '../../src/pack/contents/component-files.ts';
import { fetchComponents } from '../../src/pack/fetch/component-fetch.ts';
import { resolvePackage } from '../../src/pack/plan/package-resolution.ts';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { FileServer } from '../support/file-server.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const signal = new AbortController().signal;

function program(name: string): Buffer {
  return Buffer.alloc(50_000 + name.length * 1000, `${name} `);
}

/** Packs programs as their makers do. */
function release(prefix: string, names: readonly string[]): Buffer {
  const folder = scratchFolder();
  for (const name of names) {
    const path = join(folder, prefix, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, program(name));
    chmodSync(path, 0o755);
  }
  return execFileSync('tar', ['-cz', '-C', folder, ...(prefix === '' ? names : [prefix])]);
}

it('brings every component from its address to its place in the package', async () => {
  await using server = await FileServer.start();
  const releases: [name: string, tag: string, path: string, content: Buffer, checksum: [string, string]][] = [
    ['kubelet', '1.37.1', '/kubelet', program('kubelet'), ['.sha256', '']],
    [
      'containerd',
      '2.3.4',
      '/containerd-2.3.4-linux-amd64.tar.gz',
      release('bin', ['ctr', 'containerd']),
      ['.sha256sum', '  containerd-2.3.4-linux-amd64.tar.gz'],
    ],
    ['crictl', '1.37.0', '/crictl-v1.37.0-linux-amd64.tar.gz', release('', ['crictl']), ['.sha256', '']],
    [
      'cni',
      '1.9.1',
      '/cni-plugins-linux-amd64-v1.9.1.tgz',
      release('', ['portmap', 'bridge', 'loopback']),
      ['.sha256', '  cni-plugins-linux-amd64-v1.9.1.tgz'],
    ],
  ];
  for (const [, , path, content, [suffix, ending]] of releases) {
    server.put(path, content);
    server.put(`${path}${suffix}`, `${digestHex(digestOf(content))}${ending}`);
  }
  const components = releases.map(([name, tag, path]) => ({ name, tag, uri: `${server.origin}${path}` }));
  const versions = parseVersions(parseDocument('versions.json', JSON.stringify({ components })));
  const plan = resolvePackage(versions, { imageSource: { kind: 'upstream' } });
  const http = new HttpClient();
  const folder = scratchFolder();
  const fetched = await fetchComponents(plan.components, {
    http,
    retry: { attempts: 2, interval: milliseconds(1) },
    sizeLimit: 1_000_000_000,
    signal,
    folder,
    concurrency: 4,
  });
  http.close();
  expect(fetched.map(({ check }) => check.kind)).toEqual(releases.map(() => 'published'));
  const files = (await Promise.all(fetched.map((component) => componentFiles(component, signal)))).flat();
  const file = join(folder, plan.fileName);
  await writeArchive({ output: file, entries: files.map(({ entry }) => entry), signal });
  const unpacked = scratchFolder();
  execFileSync('tar', ['-xzf', file, '-C', unpacked]);
  const expected: Record<string, string> = {
    'kubernetes/bin/kubelet': 'kubelet',
    'kubernetes/cni/bridge': 'bridge',
    'kubernetes/cni/loopback': 'loopback',
    'kubernetes/cni/portmap': 'portmap',
    'runtime/containerd/bin/containerd': 'containerd',
    'runtime/containerd/bin/crictl': 'crictl',
    'runtime/containerd/bin/ctr': 'ctr',
  };
  expect(files.map(({ entry }) => entry.path).sort()).toEqual(Object.keys(expected));
  for (const { entry, sha256 } of files) {
    const content = readFileSync(join(unpacked, entry.path));
    expect(content.equals(program(expected[entry.path] ?? '')), entry.path).toBe(true);
    expect(digestOf(content)).toBe(sha256);
  }
});
