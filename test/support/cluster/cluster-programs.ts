import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { it } from 'vitest';
import { describeWithMachine } from '../machine/machine.ts';
import { describeWith, missingPrograms } from '../programs.ts';

const STAND_INS = fileURLToPath(new URL('./stand-ins', import.meta.url));
const CONTAINERD = {
  '/usr/bin': ['containerd', 'containerd-shim-runc-v2', 'ctr'],
  '/usr/sbin': ['runc'],
};
const archives = new Map<string, Buffer>();

/** Returns kubeadm, kubelet and kubectl of a version, such as `1.37.2`, as one program that is what its name says. */
function archiveOf(version: string): Buffer {
  const made = archives.get(version);
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), 'keel-stand-ins-'));
  try {
    cpSync(STAND_INS, join(folder, 'modules'), { recursive: true });
    writeFileSync(join(folder, 'modules/version.py'), `VERSION = '${version}'\n`);
    const program = join(folder, 'program');
    execFileSync('python3', [
      '-m',
      'zipapp',
      join(folder, 'modules'),
      '-p',
      '/usr/bin/python3',
      '-o',
      program,
    ]);
    const archive = readFileSync(program);
    archives.set(version, archive);
    return archive;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Writes stand-ins of kubeadm, kubelet and kubectl of a version into a folder. They refuse what the real ones refuse, and
 * keep a cluster in /srv/lan; `stand-ins/*.py` say what each of them knows. They want a Machine, Debian's python3-yaml, and a
 * containerd that answers, whose images decide what runs.
 */
export function writeClusterPrograms(folder: string, version: string): void {
  mkdirSync(folder, { recursive: true });
  const archive = archiveOf(version);
  for (const name of ['kubeadm', 'kubelet', 'kubectl'])
    writeFileSync(join(folder, name), archive, { mode: 0o755 });
}

/** Describes tests that need machines with these programs, as `describeWithMachine` does. */
export function describeWithCluster(name: string, tests: () => void): void {
  if (missingPrograms(['containerd', 'ctr', 'runc', 'python3']).length > 0) {
    describeWith(['containerd', 'ctr', 'runc', 'python3'], name, tests);
  } else if (spawnSync('/usr/bin/python3', ['-c', 'import yaml']).status === 0) {
    describeWithMachine(name, tests);
  } else {
    const test = process.env['CI'] === 'true' ? it : it.skip;
    test(`${name} (needs python3-yaml, not installed here)`, () => {
      throw new Error('apt-get install python3-yaml');
    });
  }
}

/** Copies Debian's containerd, its shim, ctr and runc into a folder. */
export function copyContainerd(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [from, names] of Object.entries(CONTAINERD)) {
    for (const name of names) copyFileSync(join(from, name), join(folder, name));
  }
}
