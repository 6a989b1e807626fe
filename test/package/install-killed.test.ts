import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { treeOf, UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

let pack: UnpackedPackage;
let counter: string;

/** Programs by which install.sh changes something. Before each of them, or after it, the run may be killed. */
const PROGRAMS = ['chmod', 'chown', 'cp', 'ln', 'mkdir', 'mv', 'rm', 'rmdir'];

/** Puts programs in front of this machine's that kill the whole run at the step that the counter tells. */
function standIns(): string {
  const bin = join(pack.workplace, 'bin');
  for (const program of PROGRAMS) {
    const script = `#!/bin/sh
step=$(($(cat '${counter}') + 1))
echo "$step" >'${counter}'
[ "$step" -ne "$KEEL_TEST_BEFORE" ] || kill -9 0
/usr/bin/${program} "$@"
status=$?
[ "$step" -ne "$KEEL_TEST_AFTER" ] || kill -9 0
exit $status
`;
    writeFile(join(bin, program), script, 0o755);
  }
  return `${bin}:${process.env['PATH'] ?? ''}`;
}

/** Makes a tree in which some files are someone's, one is of an earlier package, and the rest are not there yet. */
function prepare(): void {
  rmSync(pack.root, { recursive: true, force: true });
  mkdirSync(pack.root);
  pack.write('kubernetes/bin/kubelet', 'an older kubelet', 0o755);
  pack.seal();
  pack.install();
  pack.write('kubernetes/bin/kubelet', 'a newer kubelet', 0o755);
  pack.seal();
  writeFile(join(pack.root, 'etc/crictl.yaml'), 'changed');
  writeFile(join(pack.root, 'opt/cni/bin/bridge'), 'of another', 0o700);
  rmSync(join(pack.root, 'usr/local/bin/containerd'));
}

/** Returns the tree without the notes of installations, and those of what was placed. */
function picture(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(treeOf(pack.root)).filter(([path]) => !path.startsWith('var/lib/keel/install/')),
  );
}

beforeEach(() => {
  pack = new UnpackedPackage();
  counter = join(pack.workplace, 'steps');
  for (const part of [
    'runtime/containerd/bin/ctr',
    'kubernetes/conf',
    'runtime/containerd/conf/containerd.service',
  ])
    rmSync(join(pack.folder, part), { recursive: true });
});

describe('a run of install.sh that is killed', () => {
  it('leaves a machine that the next run brings to what one without a break would have, at whichever step', {
    timeout: 600_000,
  }, () => {
    const path = standIns();
    const run = (before: number, after: number) => {
      writeFileSync(counter, '0\n');
      return pack.install([], {
        before: ['setsid', '--wait'],
        environment: { PATH: path, KEEL_TEST_BEFORE: `${before}`, KEEL_TEST_AFTER: `${after}` },
      });
    };
    prepare();
    expect(run(0, 0)).toMatchObject({ status: 0 });
    const steps = Number(readFileSync(counter, 'utf8'));
    const wanted = picture();
    expect(steps).toBeGreaterThan(20);
    for (let step = 1; step <= steps; step += 3) {
      prepare();
      const killed = step % 2 === 0 ? run(step, 0) : run(0, step);
      expect(killed.status, `step ${step}`).not.toBe(0);
      expect(pack.install().status, `step ${step}`).toBe(0);
      expect(picture(), `step ${step}`).toEqual(wanted);
    }
  });
});
