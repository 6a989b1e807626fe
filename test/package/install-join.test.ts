import { describe, expect, it } from 'vitest';
import { runLibrary, SHELLS } from '../support/install-library.ts';

const TOKEN = 'abcdef.0123456789abcdef';
const HASH = `sha256:${'5a'.repeat(32)}`;
const KEY = '7b'.repeat(32);
const LINE = `kubeadm join 10.0.0.11:6443 --token ${TOKEN} --discovery-token-ca-cert-hash ${HASH}`;
const READ =
  'join_line=$1; read_join_line; echo "$join_endpoint $join_token$join_hashes $join_control_plane $join_key"';

describe.each(SHELLS)('a line for --join, in %s', (shell) => {
  it.each([
    ['as kubeadm prints it, with a space at the end', `${LINE} `, ''],
    ['without the name of the program', LINE.replace('kubeadm join ', ''), ''],
    ['broken as kubeadm init prints it', LINE.replace(' --discovery', ' \\\n\t--discovery'), ''],
  ])('is read %s', (_, line) => {
    expect(runLibrary(shell, READ, [line])).toEqual({
      status: 0,
      stdout: `10.0.0.11:6443 ${TOKEN} ${HASH} no \n`,
      stderr: '',
    });
  });

  it('is read with several hashes, and for a further control plane', () => {
    const line = `${LINE} --discovery-token-ca-cert-hash ${HASH} --control-plane --certificate-key ${KEY}`;
    expect(runLibrary(shell, READ, [line]).stdout).toBe(
      `10.0.0.11:6443 ${TOKEN} ${HASH} ${HASH} yes ${KEY}\n`,
    );
  });

  it.each([
    [
      'another option',
      `${LINE} --ignore-preflight-errors all`,
      '--ignore-preflight-errors is an unknown option',
    ],
    ['a command behind it', `${LINE}; reboot`, 'characters'],
    ['a command in it', LINE.replace(TOKEN, '$(reboot)'), 'characters'],
    ['no hash, so that anybody could answer', LINE.replace(/ --discovery.*/, ''), 'no --discovery-token'],
    ['a hash that is cut', LINE.slice(0, -1), 'is not a hash'],
    ['a token that is cut', LINE.replace('abcdef.', 'abcde.'), 'no token'],
    ['no port', LINE.replace(':6443', ''), 'no address'],
    ['two addresses', LINE.replace(' --token', ' 10.0.0.12:6443 --token'), 'one address too many'],
    ['an option without its value', `${LINE} --certificate-key`, 'has no value'],
    ['a key for a worker', `${LINE} --certificate-key ${KEY}`, 'requires --control-plane'],
    ['a key that is cut', `${LINE} --control-plane --certificate-key ${KEY.slice(1)}`, 'is not a key'],
    ['nothing', ' ', 'no address'],
  ])('is refused with %s', (_, line, why) => {
    const { status, stdout, stderr } = runLibrary(shell, READ, [line]);
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining(why),
    });
    expect(stderr).toContain('pass the line printed by --init');
  });
});
