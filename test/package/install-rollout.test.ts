import { describe, expect, it } from 'vitest';
import { runLibrary, SHELLS } from '../support/install-library.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { writeFile } from '../support/unpacked-package.ts';

/** Each look at this clock is four minutes after the one before. */
const DATE = `#!/bin/sh
seconds=$(($(cat "$CLOCK" 2>/dev/null || echo 0) + 240))
echo "$seconds" | tee "$CLOCK"
`;
const KUBECTL = `#!/bin/sh
case "$*" in
  *"get pods"*)
    printf 'coredns-5d78\tRunning\tTrue\t \t \n'
    printf 'kube-flannel-ds-x7\tPending\tFalse\tImagePullBackOff \tno such image\n' ;;
  *) exit 1 ;;
esac
`;

describe.each(SHELLS)('waiting for a workload, in %s', (shell) => {
  it('ends after ten minutes, with each pod that does not run and why', () => {
    const folder = scratchFolder();
    writeFile(`${folder}/date`, DATE, 0o755);
    writeFile(`${folder}/kubectl`, KUBECTL, 0o755);
    const script = 'work=$1 PATH=$1:$PATH; wait_for kube-flannel daemonset kube-flannel-ds';
    const { status, stderr } = runLibrary(shell, script, [folder], { CLOCK: `${folder}/clock` });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(
        /^install\.sh: kube-flannel-ds does not run after 600 s:\nkube-flannel-ds-x7: Pending ImagePullBackOff no such image *\ninstall\.sh: see: kubectl -n kube-flannel describe pods/,
      ),
    });
  });
});
