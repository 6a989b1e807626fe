import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { runLibrary } from '../support/install-library.ts';
import { describeWith } from '../support/programs.ts';
import { UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

let pack: UnpackedPackage;
let root: string;

/** Starts install.sh and returns how it ends and what it says to stderr. */
async function start(
  environment: Record<string, string> = {},
): Promise<[status: number | null, stderr: string]> {
  const child = spawn(join(pack.folder, 'install.sh'), ['--root', root], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return [child.exitCode, stderr];
}

/** Returns a path whose first folder has programs of this machine but for one. */
function pathWithout(program: string): string {
  const bin = join(pack.workplace, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const folder of ['/usr/bin', '/usr/sbin'])
    for (const name of readdirSync(folder)) {
      if (name === program) continue;
      rmSync(join(bin, name), { force: true });
      symlinkSync(join(folder, name), join(bin, name));
    }
  return bin;
}

/** Puts a `cp` in front that waits, once it was called, until a pipe is written to. */
function waitingCopy(): { readonly path: string; readonly pipe: string; readonly mark: string } {
  const pipe = join(pack.workplace, 'go');
  const mark = join(pack.workplace, 'mark');
  execFileSync('mkfifo', [pipe, mark]);
  const bin = join(pack.workplace, 'waiting');
  writeFile(
    join(bin, 'cp'),
    `#!/bin/sh\nif mkdir '${bin}/once' 2>/dev/null; then echo >'${mark}'; read -r _ <'${pipe}'; fi\nexec /usr/bin/cp "$@"\n`,
    0o755,
  );
  return { path: bin, pipe, mark };
}

beforeEach(() => {
  pack = new UnpackedPackage();
  ({ root } = pack);
});

describe.each(['with flock', 'without flock'])('two runs of install.sh at once, %s', (how) => {
  const base = (): string => (how === 'with flock' ? (process.env['PATH'] ?? '') : pathWithout('flock'));

  it('do not mix: the second is refused, names the first, and changes nothing', async () => {
    const { path, pipe, mark } = waitingCopy();
    const PATH = base();
    const first = start({ PATH: `${path}:${PATH}` });
    execFileSync('cat', [mark]);
    const before = readdirSync(root, { recursive: true });
    const second = pack.install([], { environment: { PATH } });
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(
      /another run of install\.sh, process \d+, is in progress; wait until it ends/,
    );
    expect(readdirSync(root, { recursive: true })).toEqual(before);
    writeFileSync(pipe, '\n');
    expect(await first).toEqual([0, '']);
    expect(pack.install([], { environment: { PATH } }).stdout).toContain('0 files placed');
  });

  it('are one after the other, or refused, also where a run that died left its lock', async () => {
    pack.install();
    writeFileSync(join(root, 'usr/local/bin/kubelet'), 'other');
    if (how === 'with flock') writeFileSync(join(root, 'var/lib/keel/lock'), `${process.pid} 1 boot\n`);
    else symlinkSync('4194304 1 boot', join(root, 'var/lib/keel/lock'));
    const PATH = base();
    const ends = await Promise.all(Array.from({ length: 6 }, () => start({ PATH })));
    expect(ends.some(([status]) => status === 0)).toBe(true);
    for (const [status, stderr] of ends)
      expect([status, stderr]).toEqual(
        status === 0 ? [0, ''] : [1, expect.stringContaining('another run of')],
      );
    expect(readFileSync(join(root, 'usr/local/bin/kubelet'), 'utf8')).toBe('kubelet');
    expect(readdirSync(join(root, 'usr/local/bin')).sort()).toEqual([
      'containerd',
      'ctr',
      'kubelet',
      'kubelet.before-keel',
    ]);
    expect(readdirSync(join(root, 'var/lib/keel')).sort()).toEqual(['files', 'install', 'undo', 'version']);
  });
});

it('the lock of a run without flock is its own at each step of an upgrade', () => {
  const script = 'state=$1; this_run="$$ $(process_start $$) $(boot_id)"; lock_link; lock_link; echo taken';
  expect(runLibrary('dash', script, [root])).toEqual({ status: 0, stdout: 'taken\n', stderr: '' });
});

describe('the lock of a run that died', () => {
  it.each([
    ['whose number another process has now', `${process.pid} 1 boot`],
    ['of before a boot', '1 1 an-earlier-boot'],
    ['of nobody', ''],
  ])('holds up nobody: %s', (_, holder) => {
    mkdirSync(join(root, 'var/lib/keel'), { recursive: true });
    writeFileSync(join(root, 'var/lib/keel/lock'), holder);
    expect(pack.install()).toMatchObject({ status: 0, stderr: '' });
  });
});

describeWith(['unshare'], 'the lock of a run in a container', () => {
  it.runIf(process.getuid?.() === 0)(
    'keeps out a run of this machine, whose processes have other numbers',
    async () => {
      const { path, pipe, mark } = waitingCopy();
      const child = spawn(
        'unshare',
        ['--pid', '--fork', '--mount-proc', join(pack.folder, 'install.sh'), '--root', root],
        { env: { ...process.env, PATH: `${path}:${process.env['PATH'] ?? ''}` }, stdio: 'ignore' },
      );
      execFileSync('cat', [mark]);
      expect(pack.install()).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('another run of install.sh'),
      });
      writeFileSync(pipe, '\n');
      await once(child, 'exit');
      expect(child.exitCode).toBe(0);
    },
  );
});
