import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { clusterPackage } from '../support/cluster/cluster-package.ts';
import { describeWithCluster } from '../support/cluster/cluster-programs.ts';
import { Machine } from '../support/machine/machine.ts';
import type { UnpackedPackage } from '../support/unpacked-package.ts';

let machine: Machine;

async function install(pack: UnpackedPackage): Promise<string> {
  const folder = join(machine.folder, 'root/package');
  rmSync(folder, { recursive: true, force: true });
  cpSync(pack.folder, folder, { recursive: true });
  const { status, stdout, stderr } = await machine.exec('./install.sh --skip-images', {
    folder: '/root/package',
  });
  expect(status, stdout + stderr).toBe(0);
  return stdout + stderr;
}

function containerd(): Promise<string> {
  return machine.read('systemctl show -p MainPID --value containerd');
}

describeWithCluster('the services of install.sh', () => {
  afterEach(() => machine[Symbol.asyncDispose]());

  it('run on when files of other parts change, and take the place of what came from elsewhere by name', async () => {
    machine = await Machine.start({ address: '10.99.0.11/24', hasContainerd: true });
    await machine.read('systemctl start containerd');
    const pack = clusterPackage();
    expect(await install(pack)).toMatch(
      /another containerd runs on this machine: \/usr\/bin\/containerd, started by \S*\/containerd.service; the one from this package replaces it/,
    );
    expect(await machine.read('readlink "/proc/$(systemctl show -p MainPID --value containerd)/exe"')).toBe(
      '/usr/local/bin/containerd\n',
    );
    const before = await containerd();
    pack.write('kubernetes/cni/bridge', 'another bridge', 0o755);
    pack.write('kubernetes/bin/other', 'another program', 0o755);
    pack.seal();
    expect(await install(pack)).not.toMatch(/another containerd|restarting/);
    expect(await containerd()).toBe(before);
  });
});
