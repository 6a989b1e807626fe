import { describe, expect, it } from 'vitest';
import { runLibrary, SHELLS } from '../support/install-library.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { writeFile } from '../support/unpacked-package.ts';

describe.each(SHELLS)('the manifest of an add-on, in %s', (shell) => {
  function applied(manifest: string): string {
    const folder = scratchFolder();
    writeFile(`${folder}/net.yaml`, manifest);
    const script = 'services=10.96.0.0/12; addon_manifest net.yaml';
    const { status, stdout, stderr } = runLibrary(shell, `here=${folder}; ${script}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  }

  it.each([
    ['', '--kube-subnet-mgr'],
    ['with quotes', '"--kube-subnet-mgr"'],
  ])('tells flannel its interface, by whatever name it was packed %s', (_, flag) => {
    const args = `        args:\n        - ${flag}\n`;
    expect(applied(args)).toBe(`${args}        - --iface-can-reach=10.96.0.0\n`);
  });

  it.each([
    'kind: Deployment\n',
    'args:\n- --kube-subnet-mgr\n- --iface=eth1\n',
    'args:\n- "--iface-regex=^10"\n- --kube-subnet-mgr\n',
  ])('is applied as it is where nothing is to be told: %j', (manifest) => {
    expect(applied(manifest)).toBe(manifest);
  });

  it.each([
    ['172.16.0.0/16', "  serviceSubnet: '172.16.0.0/16'"],
    ['172.16.0.0/16', '  serviceSubnet: "172.16.0.0/16"'],
    ['172.16.0.0/16', '  serviceSubnet: 172.16.0.0/16,fd00::/108 # both'],
    ['10.96.0.0/12', '  podSubnet: 10.244.0.0/16'],
  ])('is for the Services in %s where kubeadm was told:%s', (network, line) => {
    const { stdout } = runLibrary(shell, 'printf "%s\\n" "$1" | services_of', [line]);
    expect(stdout).toBe(`${network}\n`);
  });

  it('is for no network of Services that nobody could be asked for', () => {
    const folder = scratchFolder();
    writeFile(`${folder}/clock`, '0');
    const script = [
      `work=${folder}`,
      'now() { time=$(cat "$work/clock"); echo $((time + 30)) >"$work/clock"; echo "$time"; }',
      'sleep() { :; }',
      'cluster() { echo "connection refused" >&2; return 1; }',
      'services=$(cluster_services)',
      'echo "the network is $services"',
    ].join('\n');
    const { status, stdout, stderr } = runLibrary(shell, script);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('connection refused\ninstall.sh: the API server does not answer');
  });
});
