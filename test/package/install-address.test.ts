import { describe, expect, it } from 'vitest';
import { runLibrary, SHELLS } from '../support/install-library.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

const ONE = '2: eth0    inet 10.0.0.11/24 brd 10.0.0.255 scope global eth0\\       valid_lft forever\n';
const TWO = `${ONE}3: eth1@if7    inet 192.168.5.4/24 brd 192.168.5.255 scope global eth1\\       valid_lft forever\n`;
const CONTAINERS =
  '5: docker0    inet 172.17.0.1/16 scope global docker0\\       valid_lft forever\n6: cni0    inet 10.244.0.1/24 scope global cni0\\       valid_lft forever\n7: flannel.1    inet 10.244.0.0/32 scope global flannel.1\\       valid_lft forever\n';
const DEFAULT = 'default via 192.168.5.1 dev eth1 proto dhcp src 192.168.5.4 metric 100\n';
const WAY = '192.0.2.1 via 192.168.5.1 dev eth1 src 192.168.5.4 uid 0\n    cache\n';

interface Network {
  readonly addresses: string;
  readonly route?: string;
  readonly way?: string;
}

/** Runs a script on a machine whose `ip` says what its network is like. */
function on(shell: string, { addresses, route = '', way = '' }: Network, script: string) {
  const folder = scratchFolder();
  writeFile(
    `${folder}/ip`,
    '#!/bin/sh\ncase "$*" in *"route show default"*) printf %s "$ROUTE" ;; *"route get"*) [ -n "$WAY" ] && printf %s "$WAY" ;; *"addr show"*) printf %s "$ADDRESSES" ;; esac\n',
    0o755,
  );
  return runLibrary(shell, `PATH=${folder}:$PATH\n${script}`, [], {
    ADDRESSES: addresses,
    ROUTE: route,
    WAY: way,
  });
}

const FIND = 'find_address; echo "$node_address $node_interface"';

describe.each(SHELLS)('the address of a machine, in %s', (shell) => {
  it.each<[string, Network, string, string]>([
    ['the only one', { addresses: ONE }, '', '10.0.0.11 eth0\n'],
    ['the only one beside networks of containers', { addresses: ONE + CONTAINERS }, '', '10.0.0.11 eth0\n'],
    ['the one of the default route', { addresses: TWO, route: DEFAULT, way: WAY }, '', '192.168.5.4 eth1\n'],
    [
      'the one that --node-ip says, whatever the default route',
      { addresses: TWO, route: DEFAULT, way: WAY },
      'node_ip=10.0.0.11; ',
      '10.0.0.11 eth0\n',
    ],
  ])('is %s', (_, network, given, found) => {
    expect(on(shell, network, given + FIND)).toEqual({ status: 0, stdout: found, stderr: '' });
  });

  it('is the one that a configuration of its own names', () => {
    const script =
      'config=$HOME/kubeadm.yaml; printf "localAPIEndpoint:\\n  advertiseAddress: 192.168.5.4\\n" >"$config"; find_own_address; echo "$node_address $node_interface"';
    expect(on(shell, { addresses: TWO }, `HOME=${scratchFolder()}; ${script}`)).toMatchObject({
      stdout: '192.168.5.4 eth1\n',
    });
  });

  it('is not asked for where there is a configuration of its own', () => {
    const script = 'config=/dev/null; find_own_address; echo "<$node_address>"';
    expect(on(shell, { addresses: TWO }, script)).toEqual({ status: 0, stdout: '<>\n', stderr: '' });
  });

  it.each([
    ['10.96.0.0/12', '10.111.255.255', true],
    ['10.96.0.0/12', '10.112.0.1', false],
    ['192.168.0.0/16', '192.168.5.4', true],
    ['10.244.0.0/24', '10.244.1.1', false],
    ['0.0.0.0/0', '10.0.0.1', true],
  ])('is compared with %s: %s', (network, address, isInside) => {
    const script = 'if holds "$1" "$2"; then echo true; else echo false; fi';
    expect(runLibrary(shell, script, [network, address]).stdout).toBe(`${isInside}\n`);
  });

  it('is compared with the networks of the cluster before --init', () => {
    const pack = new UnpackedPackage();
    pack.write('install/package.env', 'KUBERNETES_VERSION=v1.37.1\n');
    pack.write('install/addons', 'flannel\tkubernetes/addons/flannel.yaml\t10.0.0.0/16\n');
    pack.seal();
    expect(on(shell, { addresses: ONE }, `here='${pack.folder}'; prepare_init`)).toEqual({
      status: 0,
      stdout: '',
      stderr: expect.stringMatching(
        /10\.0\.0\.11, is in 10\.0\.0\.0\/16, a network of the cluster; pods may be unable to reach machines/,
      ),
    });
  });

  it.each<[string, Network, string, string]>([
    [
      'several and no default route',
      { addresses: TWO },
      '',
      'this machine has no default route and several addresses, 10.0.0.11 (eth0), 192.168.5.4 (eth1); choose the one at which other machines reach it with --node-ip',
    ],
    ['none', { addresses: CONTAINERS }, '', 'no address at which others can reach it'],
    [
      'a --node-ip of another machine',
      { addresses: ONE },
      'node_ip=10.0.0.99; ',
      'is not an address of this machine, which has 10.0.0.11 (eth0)',
    ],
    [
      'a --node-ip that no other machine reaches',
      { addresses: ONE },
      'node_ip=127.0.0.1; ',
      'kubeadm refuses addresses that other machines cannot reach; this machine has 10.0.0.11 (eth0)',
    ],
    ['a --node-ip of IPv6', { addresses: ONE }, 'node_ip=fd00::1; ', 'with --config'],
  ])('is asked for where there is %s', (_, network, given, why) => {
    expect(on(shell, network, given + FIND)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining(why),
    });
  });
});
