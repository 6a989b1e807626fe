import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { PAUSE, PROXY, UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

const ADDRESS = ['--address', '/run/test.sock'];
const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'ash']];

let pack: UnpackedPackage;

function install(ctr = '', options: readonly string[] = []) {
  return pack.install([...ADDRESS, ...options], { environment: { KEEL_TEST_CTR: ctr } });
}

/** Returns the lines of a file of the stand-in of ctr. */
function lines(file: 'calls' | 'images' | 'pinned'): string[] {
  const path = join(pack.state, file);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').filter(Boolean) : [];
}

/** Returns what ctr was told since the last time, without the address. */
function told(): string[] {
  const calls = lines('calls').map((line) => line.replace('--address /run/test.sock -n k8s.io ', ''));
  writeFile(join(pack.state, 'calls'), '');
  return calls;
}

function there(): string[] {
  return lines('images').map((line) => line.split(' ')[0] ?? '');
}

const inState = (name: string): string => join(pack.root, 'var/lib/keel', name);

beforeEach(() => {
  pack = new UnpackedPackage();
});

describe('the images of a package', () => {
  it('are imported one after the other, each told with its size, and pinned', () => {
    const { status, stdout, stderr } = install();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /importing 1 of 2: \S+pause:3.10.2, 0.0 MB\nimporting 2 of 2: \S+kube-proxy:v1.37.1, 0.0 MB\n2 images imported in \d+ s\nall images of the package are imported: 2\n/,
    );
    expect(there()).toEqual([PAUSE, PROXY]);
    expect(lines('pinned')).toEqual([PAUSE, PROXY]);
    expect(told().filter((call) => call.includes('import '))).toContain('images import --local --sync-fs -');
  });

  it('that are there already are not imported again', () => {
    install();
    told();
    const { status, stdout } = install();
    expect([status, stdout.includes('importing')]).toEqual([0, false]);
    expect(told().filter((call) => /images (import|label|rm)/.test(call))).toEqual([]);
  });

  it.each<[string, (line: string) => string]>([
    ['gone', () => ''],
    ['of another manifest', (line) => line.replace(/sha256:\w+/, `sha256:${'0'.repeat(64)}`)],
    ['of another media type', (line) => line.replace(/\S+$/, 'application/vnd.oci.image.manifest.v1+json')],
  ])('that are %s are imported, and no others', (_, change) => {
    install();
    const [pause = '', proxy = ''] = lines('images');
    writeFile(join(pack.state, 'images'), `${pause}\n${change(proxy)}\n`);
    expect(install().stdout).toContain(`importing 1 of 1: ${PROXY}`);
    expect(lines('images')).toEqual([pause, proxy]);
  });

  it('in archives are imported from these, once', () => {
    pack.writeArchives({ [PAUSE]: 'images/pause-3.10.2.tar', [PROXY]: 'images/kube-proxy-v1.37.1.tar' });
    pack.seal();
    const { status, stdout, stderr } = install();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('all images of the package are imported: 2');
    expect(lines('pinned')).toEqual([PAUSE, PROXY]);
    expect(told()).toContain(`images import --local --sync-fs ${pack.folder}/images/pause-3.10.2.tar`);
    expect(install().stdout).not.toContain('importing');
  });

  it('that were imported halfway when the run was killed are removed and imported again', () => {
    expect(install('killed').status).toBe(null);
    expect(there()).toEqual([PAUSE]);
    told();
    const { status, stdout, stderr } = install();
    expect(status).toBe(0);
    expect(stderr).toContain('an earlier run was interrupted; restoring the previous state');
    expect(stdout).toContain('importing 1 of 2');
    expect(told()).toContain(`images rm ${PAUSE}`);
    expect(there()).toEqual([PAUSE, PROXY]);
    expect(existsSync(inState('importing'))).toBe(false);
  });

  it('of an import that was cut off are not believed, whatever containerd says', () => {
    install();
    writeFile(inState('importing'), `${PROXY}\n`);
    told();
    const { stdout, stderr } = install();
    expect(stderr).toContain(`an earlier import of images was interrupted; importing them again: ${PROXY}`);
    expect(stdout).toContain(`importing 1 of 1: ${PROXY}`);
    expect(told()).toContain(`images rm ${PROXY}`);
    expect(existsSync(inState('importing'))).toBe(false);
  });

  it('that a full disk keeps from being imported are told with the reason and removed', () => {
    const { status, stdout, stderr } = install(`full ${PROXY}`);
    expect(status).toBe(1);
    expect(stdout).toContain('importing 2 of 2');
    expect(stderr).toContain('no space left on device');
    expect(stderr).toContain('the disk of /var/lib/containerd is full; free some space');
    expect(stderr).toContain(`not imported: ${PROXY}`);
    expect(there()).toEqual([]);
    expect(told()).toContain('leases delete --sync keel');
  });

  it('that a full disk keeps from being imported leave those that were there', () => {
    install();
    const [pause = ''] = lines('images');
    writeFile(join(pack.state, 'images'), `${pause}\n`);
    expect(install(`full ${PROXY}`).status).toBe(1);
    expect(there()).toEqual([PAUSE]);
  });

  it('that ctr only says it imported are missed', () => {
    const { status, stderr } = install('silent');
    expect(status).toBe(1);
    expect(stderr).toContain(`not imported, although ctr reported success: ${PAUSE} ${PROXY}`);
  });

  it('are imported with what an older ctr knows', () => {
    expect(install('old').status).toBe(0);
    expect(told().filter((call) => call.includes('import '))).toContain('images import -');
    expect(there()).toEqual([PAUSE, PROXY]);
  });

  it('are pinned as they were asked to be, by each run', () => {
    install();
    install('', ['--no-pin']);
    expect(lines('pinned')).toEqual([PAUSE]);
    install('', ['--pin-all']);
    expect(lines('pinned')).toEqual([PAUSE, PROXY]);
  });

  it('of an older version are unpinned by a newer, and those of others are not', () => {
    pack.write('install/package.env', 'KUBERNETES_VERSION=1.36.0\n');
    pack.seal();
    install();
    writeFile(join(pack.state, 'pinned'), `${PAUSE}\n${PROXY}\nexample.com/mine:1\n`);
    const newer = 'registry.k8s.io/kube-proxy:v1.38.0';
    pack.write('install/package.env', 'KUBERNETES_VERSION=1.38.0\n');
    pack.writeImages([PAUSE, newer]);
    pack.seal();
    expect(install().stdout).toContain(`unpinned ${PROXY}, which an older version imported`);
    expect(lines('pinned')).toEqual([PAUSE, 'example.com/mine:1', newer]);
    expect(readFileSync(inState('images'), 'utf8')).toBe(`${PAUSE}\t1.38.0\n${newer}\t1.38.0\n`);
    expect(install().stdout).not.toContain('unpinned');
  });
});

describe.each(SHELLS)('%s', (...shell) => {
  const run = (ctr: string) => pack.install(ADDRESS, { before: shell, environment: { KEEL_TEST_CTR: ctr } });

  it('imports images, and those of an import that was cut off again', () => {
    expect(run('killed').status).toBe(null);
    expect(run(`full ${PROXY}`)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no space left'),
    });
    expect(there()).toEqual([]);
    const { status, stdout, stderr } = run('');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('all images of the package are imported: 2');
    expect(existsSync(inState('importing'))).toBe(false);
    expect(lines('pinned')).toEqual([PAUSE, PROXY]);
  });
});

describe('where images are imported', () => {
  it('may be named as the kubelet names it', () => {
    pack.install(['--address', 'unix:///run/test.sock'], {});
    expect(lines('calls')).toContain('--address /run/test.sock -n k8s.io images import --local --sync-fs -');
  });

  it('must have them in the package', () => {
    pack.write('images/index.json', '{"manifests":[]}');
    pack.seal();
    const { status, stderr } = install();
    expect([status, stderr]).toEqual([
      1,
      `install.sh: images/index.json does not contain ${PAUSE}; nothing was changed. Build the package again\n`,
    ]);
  });
});
