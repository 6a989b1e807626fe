import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { describeWith } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { treeOf, UnpackedPackage, writeFile } from '../support/unpacked-package.ts';

/** Some user and some group that are neither root's nor ours. */
const STRANGER = 65_534;
const isRoot = process.getuid?.() === 0;

let pack: UnpackedPackage;
let root: string;

function makePipe(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  execFileSync('mkfifo', [path]);
}

function makeFolder(path: string, mode: number): void {
  mkdirSync(join(root, path), { recursive: true });
  chmodSync(join(root, path), mode);
}

/** Every character that could move, colour, hide or turn what a terminal shows, in UTF-8 and as bytes. */
const COMMANDS = '\u001b[2J\u009b2J\u0085\u202e\u2066\u200f\u061c\r\n\t\u0007\u007f';
const PRINTABLE = /^[\n -~]*$/;

beforeEach(() => {
  pack = new UnpackedPackage();
  root = pack.root;
});

describe('what others could exchange after it was placed', () => {
  const FOLDERS = ['usr', 'usr/local', 'usr/local/bin', 'opt/cni', 'etc/systemd/system/kubelet.service.d'];

  it.runIf(isRoot)('is placed anew where it is right but belongs to someone else', () => {
    pack.install();
    const before = treeOf(root);
    const files = ['usr/local/bin/kubelet', 'opt/cni/bin/bridge', 'etc/systemd/system/kubelet.service'];
    for (const file of files) chownSync(join(root, file), STRANGER, STRANGER);
    const { status, stdout } = pack.install();
    expect(status).toBe(0);
    expect(stdout).toContain('3 files placed');
    for (const file of files) expect(statSync(join(root, file)).uid).toBe(0);
    expect(treeOf(root)).toMatchObject(before);
  });

  it.runIf(isRoot)('belongs to whom it belonged when a step fails', () => {
    pack.install();
    const files = ['usr/local/bin/kubelet', 'opt/cni/bin/bridge', 'etc/crictl.yaml'];
    for (const file of files) chownSync(join(root, file), STRANGER, STRANGER);
    const before = treeOf(root);
    const { status } = pack.install(['--address', '/run/test.sock'], {
      environment: { KEEL_TEST_CTR: 'broken' },
    });
    expect(status).toBe(1);
    for (const file of files) expect(statSync(join(root, file)).uid).toBe(STRANGER);
    expect(treeOf(root)).toEqual(before);
  });

  it.each(['775', '757', '4755'])('is placed anew where it is right but its mode is %s', (mode) => {
    pack.install();
    const program = join(root, 'usr/local/bin/kubelet');
    chmodSync(program, Number.parseInt(mode, 8));
    expect(pack.install().stdout).toContain('1 file placed');
    expect(statSync(program).mode & 0o7777).toBe(0o755);
  });

  it.runIf(isRoot).each(FOLDERS)('is not put into or below a folder of someone else: %s', (folder) => {
    pack.install();
    chownSync(join(root, folder), STRANGER, STRANGER);
    const before = treeOf(root);
    const dry = pack.install(['--dry-run']);
    const { status, stdout, stderr } = pack.install();
    expect([dry.status, status, stdout.includes('placed')]).toEqual([1, 1, false]);
    expect(stderr).toContain(`/${folder} is not safe: user ${STRANGER} owns it`);
    expect(treeOf(root)).toEqual(before);
  });

  it.each(FOLDERS.flatMap((folder) => ['757', '1777'].map((mode): [string, string] => [folder, mode])))(
    'is not put into or below a folder that everybody may write to: %s, mode %s',
    (folder, mode) => {
      makeFolder(folder, Number.parseInt(mode, 8));
      const before = treeOf(root);
      const { status, stderr } = pack.install();
      expect(status).toBe(1);
      expect(stderr).toContain(`/${folder} is not safe: every user may write to it`);
      expect(treeOf(root)).toEqual(before);
    },
  );

  it('is not put into a tree that everybody may write to', () => {
    chmodSync(root, 0o777);
    const { status, stderr } = pack.install();
    expect(status).toBe(1);
    expect(stderr).toContain(`${root} is not safe`);
    expect(readdirSync(root)).toEqual([]);
  });

  it.runIf(isRoot)('is not put into a folder that a group may write to, nor behind a link to one', () => {
    mkdirSync(join(root, 'opt'));
    makeFolder('data/cni', 0o775);
    chownSync(join(root, 'data/cni'), 0, STRANGER);
    symlinkSync('../data/cni', join(root, 'opt/cni'));
    const { status, stderr } = pack.install();
    expect(status).toBe(1);
    expect(stderr).toContain(`/data/cni is not safe: group ${STRANGER} may write to it`);
    chmodSync(join(root, 'data/cni'), 0o755);
    chmodSync(join(root, 'data'), 0o777);
    expect(pack.install().stderr).toContain('/data is not safe');
    chmodSync(join(root, 'data'), 0o755);
    expect(pack.install().status).toBe(0);
    expect(existsSync(join(root, 'data/cni/bin/bridge'))).toBe(true);
  });

  it.runIf(isRoot && /^staff:[^:]*:50:/m.test(readFileSync('/etc/group', 'utf8')))(
    "is put into a folder of Debian's group staff, as /usr/local is on many machines",
    () => {
      makeFolder('usr/local', 0o2775);
      chownSync(join(root, 'usr/local'), 0, 50);
      expect(pack.install()).toMatchObject({ status: 0, stderr: '' });
    },
  );

  it.runIf(isRoot)('may go into a tree of whoever has it made, with the folders that are in it', () => {
    makeFolder('usr/local', 0o775);
    for (const folder of ['.', 'usr', 'usr/local']) chownSync(join(root, folder), STRANGER, STRANGER);
    expect(pack.install()).toMatchObject({ status: 0, stderr: '' });
    expect(statSync(join(root, 'usr/local/bin/kubelet')).uid).toBe(0);
    chownSync(join(root, 'usr'), 1, 1);
    expect(pack.install().stderr).toContain('/usr is not safe: user 1 owns it');
  });

  it.runIf(isRoot)(
    "may go where a folder's owner shares it with a group of his own, as with umask 002",
    () => {
      for (const folder of ['.', 'usr/local', 'opt/cni/bin']) makeFolder(folder, 0o775);
      expect(pack.install()).toMatchObject({ status: 0, stderr: '' });
    },
  );

  describeWith(['setfacl'], 'an access list', () => {
    it('that lets others write to a folder keeps it from being installed into', () => {
      makeFolder('opt', 0o755);
      execFileSync('setfacl', ['-m', `u:${STRANGER}:rwx`, join(root, 'opt')]);
      expect(pack.install().stderr).toContain('/opt is not safe: its access list may let others write to it');
    });
  });

  it('is not put behind a link that leads through a folder where others may change the next one', () => {
    makeFolder('srv/cni', 0o755);
    makeFolder('shared', 0o777);
    symlinkSync('../srv/cni', join(root, 'shared/next'));
    makeFolder('opt', 0o755);
    symlinkSync('../shared/next', join(root, 'opt/cni'));
    expect(pack.install()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('/shared is not safe'),
    });
    chmodSync(join(root, 'shared'), 0o755);
    expect(pack.install().status).toBe(0);
    expect(existsSync(join(root, 'srv/cni/bin/bridge'))).toBe(true);
  });

  it.runIf(isRoot && existsSync('/usr/bin/setpriv'))(
    'is that of other users than who installs, without root',
    () => {
      const ids = [`--reuid=${STRANGER}`, `--regid=${STRANGER}`, '--clear-groups'];
      const asStranger = { before: ['setpriv', ...ids] };
      chmodSync(pack.workplace, 0o777);
      for (const folder of [root, pack.state]) chownSync(folder, STRANGER, STRANGER);
      expect(pack.install([], asStranger)).toMatchObject({ status: 0, stderr: '' });
      const program = join(root, 'usr/local/bin/kubelet');
      expect(statSync(program).uid).toBe(STRANGER);
      // What root placed is as good as one's own.
      chownSync(program, 0, 0);
      chmodSync(join(root, 'usr/local/bin'), 0o775);
      expect(pack.install([], asStranger).stdout).toContain('0 files placed');
      chownSync(program, 1, 1);
      expect(pack.install([], asStranger)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('kubelet belongs to another user; only root can replace it'),
      });
      expect(statSync(program).uid).toBe(1);
      chownSync(program, STRANGER, STRANGER);
      chownSync(join(root, 'usr'), 1, 1);
      expect(pack.install([], asStranger).stderr).toContain('/usr is not safe: user 1 owns it');
    },
  );
});

describe('something else than a file', () => {
  const TARGETS = ['usr/local/bin/kubelet', 'etc/crictl.yaml', 'etc/systemd/system/kubelet.service'];

  it.each(TARGETS)('ends it at the place of %s, and is not read: a pipe', (target) => {
    makePipe(join(root, target));
    const before = readdirSync(root, { recursive: true }).toSorted();
    const dry = pack.install(['--dry-run']);
    const { status, stderr } = pack.install();
    expect([dry.status, status]).toEqual([1, 1]);
    expect(stderr).toContain(`/${target} is neither a file nor a link; remove it first`);
    expect(stderr).not.toContain('putting back');
    expect(readdirSync(root, { recursive: true }).toSorted()).toEqual(before);
    expect(lstatSync(join(root, target)).isFIFO()).toBe(true);
  });

  it.runIf(isRoot)('ends it at the place of a file, and is not read: a device without end', () => {
    mkdirSync(join(root, 'etc'));
    execFileSync('mknod', [join(root, 'etc/crictl.yaml'), 'c', '1', '5']);
    const { status, stderr } = pack.install();
    expect(status).toBe(1);
    expect(stderr).toContain('etc/crictl.yaml is neither a file nor a link');
  });

  it('ends it at the place of a file: a socket', async () => {
    // The name of a socket is short.
    const folder = scratchFolder();
    const server = createServer().listen(join(folder, 's'));
    await new Promise((resolve) => server.once('listening', resolve));
    mkdirSync(join(root, 'etc'));
    execFileSync('cp', ['-a', join(folder, 's'), join(root, 'etc/crictl.yaml')]);
    const { status, stderr } = pack.install();
    await new Promise((resolve) => server.close(resolve));
    expect(status).toBe(1);
    expect(stderr).toContain('etc/crictl.yaml is neither a file nor a link');
  });

  it.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFile(path, 'mine')],
    ['a pipe', makePipe],
    ['a link to nowhere', (path) => symlinkSync('nowhere', path)],
    [
      'a link to a pipe',
      (path) => {
        makePipe(join(pack.workplace, 'pipe'));
        symlinkSync(join(pack.workplace, 'pipe'), path);
      },
    ],
  ])('ends it at the place of a folder: %s', (_, make) => {
    makeFolder('usr/local', 0o755);
    make(join(root, 'usr/local/bin'));
    const { status, stderr } = pack.install();
    expect(status).toBe(1);
    expect(stderr).toContain('/usr/local/bin is not a folder; remove it first');
    expect(readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()).toEqual([
      'usr',
      'usr/local',
      'usr/local/bin',
    ]);
  });

  it('is replaced where it is in the way of a new file, and written to by nothing', () => {
    makePipe(join(root, 'usr/local/bin/kubelet.keel-new'));
    makePipe(join(root, 'etc/crictl.yaml.before-keel'));
    writeFile(join(root, 'etc/crictl.yaml'), 'mine');
    expect(pack.install()).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(root, 'etc/crictl.yaml.before-keel.2'), 'utf8')).toBe('mine');
  });

  it.each(['install.sh', 'versions.json', 'notes/a', 'images/blob', 'install/package.env', 'SHA256SUMS'])(
    'in the package ends it, and is not read: %s as a pipe',
    (name) => {
      if (!existsSync(join(pack.folder, name))) pack.list(name, '');
      rmSync(join(pack.folder, name), { force: true });
      const installer = readFileSync('package/install.sh', 'utf8');
      makePipe(join(pack.folder, name));
      const circumstances = name === 'install.sh' ? { before: ['sh', '-c', installer] } : {};
      const { status, stderr } = pack.install([], circumstances);
      expect(status).toBe(1);
      expect(stderr).toMatch(/is not a file|is neither a file nor a folder|SHA256SUMS is missing/);
      expect(readdirSync(root)).toEqual([]);
    },
  );

  it('in the package ends it, and is not read: a link to a device without end', () => {
    symlinkSync('/dev/zero', join(pack.folder, 'versions.json'));
    pack.list('versions.json', '');
    expect(pack.install()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('versions.json is not a file'),
    });
  });
});

describe('a list of sums', () => {
  const LINES: [string, string, string][] = [
    ['a file called -', '  -', 'of SHA256SUMS is not for a file'],
    ['the same, as binary', ' *-', 'of SHA256SUMS is not for a file'],
    ['the same, with ./', '  ./-', 'of SHA256SUMS is not for a file'],
    ['a name twice', '  install.sh', 'lists install.sh twice'],
    ['a name twice, once with ./', '  ./install.sh', 'lists install.sh twice'],
    ['a backslash', '  a\\nb', 'of SHA256SUMS is not for a file'],
    ['a carriage return', '  a\rb', 'of SHA256SUMS is not for a file'],
    ['a zero byte', '  install.sh\0x', 'SHA256SUMS is not text'],
    ['a sum in capitals', '  x', 'of SHA256SUMS is not for a file'],
    ['a sum of another kind', '  x', 'of SHA256SUMS is not for a file'],
  ];

  it.each(LINES)('with %s changes nothing, and reads no standard input', (what, name, message) => {
    if (what === 'a sum in capitals') pack.addLine(`${'A1'.repeat(32)}${name}`);
    else if (what === 'a sum of another kind') pack.addLine(`SHA256 (x) = ${'a1'.repeat(32)}`);
    else pack.addLine(`4e388ab32b10dc8dbc7e28144f552830adc74787c1e2c0824032078a79f227fb${name}`);
    const { status, stderr } = pack.install([], { input: 'evil' });
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(readdirSync(root)).toEqual([]);
  });

  it.each(['-n', '--help', ' x', 'x ', '*x', '$(touch x)', 'ü'])(
    'may name a file %j, which is compared',
    (name) => {
      pack.write(name, 'content');
      pack.seal();
      expect(pack.install()).toMatchObject({ status: 0, stderr: '' });
      writeFileSync(join(pack.folder, name), 'other');
      expect(pack.install()).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('the package is damaged'),
      });
    },
  );

  it('vouches for the settings that are read, too', () => {
    pack.seal();
    const list = readFileSync(join(pack.folder, 'SHA256SUMS'), 'utf8');
    const without = list.split('\n').filter((line) => !line.endsWith('package.env'));
    writeFileSync(join(pack.folder, 'SHA256SUMS'), without.join('\n'));
    expect(pack.install()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('install/package.env is not in SHA256SUMS'),
    });
  });
});

describe('text of others', () => {
  function expectPlain({ stdout, stderr }: { stdout: string; stderr: string }): void {
    expect(stdout).toMatch(PRINTABLE);
    expect(stderr).toMatch(PRINTABLE);
  }

  it.each<[string, () => void]>([
    ['the name of a file that is not listed', () => pack.write(`kubernetes/bin/x${COMMANDS}`, 'x', 0o755)],
    ['the name of an image that is not listed', () => pack.write(`images/x${COMMANDS}`, 'x')],
    ['the name of something odd', () => makePipe(join(pack.folder, `images/x${COMMANDS}`))],
    [
      'the name of a file that is damaged',
      () => {
        pack.list('x\u009b2J\u202e', 'x');
        pack.write('x\u009b2J\u202e', 'y');
      },
    ],
    [
      'the name of a program',
      () => {
        pack.write('kubernetes/bin/x\u009b2J\u202e', 'x', 0o755);
        pack.seal();
      },
    ],
    [
      'the name of an image',
      () => {
        pack.writeImages([`x${COMMANDS.replaceAll(/[\r\n\t]/g, '')}`]);
        pack.seal();
      },
    ],
    [
      'a setting',
      () => {
        pack.write('install/package.env', `ARCH=x${COMMANDS}\n`);
        pack.seal();
      },
    ],
    [
      'where a link leads',
      () => {
        const outside = join(pack.workplace, `outside\u009b2J\u202e`);
        mkdirSync(outside);
        symlinkSync(outside, join(root, 'etc'));
      },
    ],
  ])('reaches no terminal as a command: %s', (_, prepare) => {
    prepare();
    expectPlain(pack.install(['--address', '/run/test.sock', '--dry-run']));
    expectPlain(pack.install(['--address', '/run/test.sock']));
  });

  it('reaches no terminal as a command: bytes that are no UTF-8', () => {
    const name = Buffer.concat([
      Buffer.from(`${pack.folder}/images/x`),
      Buffer.from([0x9b, 0x32, 0x4a, 0x84, 0xff]),
    ]);
    writeFileSync(name, 'x');
    const result = pack.install();
    expect(result.stderr).toContain('images/x?2J?? is not in SHA256SUMS');
    expectPlain(result);
  });

  it('reaches no terminal as a command: what ctr says of images', () => {
    const says = String.raw`#!/bin/sh
      case "$*" in *version) exit 0 ;; esac
      cat >/dev/null
      printf 'no space \302\2332J\342\200\256\033[2J left\n'
      printf '\2332J' >&2
      exit 1`;
    pack.write('runtime/containerd/bin/ctr', says, 0o755);
    pack.seal();
    const result = pack.install(['--address', '/run/test.sock']);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('no space ??2J????[2J left');
    expectPlain(result);
  });

  it('is no option of ctr', () => {
    pack.writeImages(['--help']);
    pack.seal();
    const { status, stderr } = pack.install(['--address', '/run/test.sock']);
    expect([status, stderr]).toEqual([1, 'install.sh: --help is not an image name; nothing was changed\n']);
  });

  it('in a tree is no program that is run here', () => {
    rmSync(join(pack.folder, 'runtime'), { recursive: true });
    pack.seal();
    const ran = join(pack.workplace, 'ran');
    writeFile(join(root, 'usr/local/bin/ctr'), `#!/bin/sh\ntouch '${ran}'\nexit 1\n`, 0o755);
    const bin = join(pack.workplace, 'bin');
    writeFile(join(bin, 'ctr'), '#!/bin/sh\nexit 0\n', 0o755);
    pack.install(['--address', '/run/test.sock'], {
      environment: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });
    expect(existsSync(ran)).toBe(false);
  });
});

describeWith(['dash', 'bash', 'busybox'], 'install.sh in other shells', () => {
  function placesAndRefuses(circumstances: { before: string[]; environment?: Record<string, string> }): void {
    expect(pack.install([], circumstances)).toMatchObject({ status: 0, stderr: '' });
    expect(pack.install([], circumstances).stdout).toContain('0 files placed, 11 unchanged');
    chmodSync(join(root, 'usr/local'), 0o777);
    expect(pack.install([], circumstances).stderr).toContain(
      '/usr/local is not safe: every user may write to it',
    );
    chmodSync(join(root, 'usr/local'), 0o755);
    rmSync(join(root, 'etc/crictl.yaml'));
    makePipe(join(root, 'etc/crictl.yaml'));
    expect(pack.install([], circumstances).stderr).toContain('crictl.yaml is neither a file nor a link');
    pack.list('-', 'evil');
    const { status, stderr } = pack.install([], { ...circumstances, input: 'evil' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('SHA256SUMS is not for a file')]);
  }

  test.each(['dash', 'bash', 'bash --posix', 'busybox sh'])('%s', (command) => {
    placesAndRefuses({ before: command.split(' ') });
  });

  test('a machine that has nothing but busybox', () => {
    const bin = join(pack.workplace, 'bin');
    mkdirSync(bin);
    for (const name of execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n'))
      symlinkSync('/usr/bin/busybox', join(bin, name));
    placesAndRefuses({ before: [join(bin, 'sh')], environment: { PATH: bin } });
  });
});

describe.runIf(isRoot)('install.sh on a machine itself, without --root', () => {
  /** Makes the tree a machine that has busybox and the package, and nothing else. */
  function makeMachine(): void {
    const libraries = execFileSync('ldd', ['/usr/bin/busybox'], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
    for (const file of ['/usr/bin/busybox', ...libraries])
      execFileSync('cp', ['-L', '--parents', file, root]);
    for (const folder of ['bin', 'etc', 'tmp', 'var/tmp', 'dev']) makeFolder(folder, 0o755);
    for (const name of execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n'))
      symlinkSync('/usr/bin/busybox', join(root, 'bin', name));
    execFileSync('mknod', [join(root, 'dev/null'), 'c', '1', '3']);
    execFileSync('cp', ['-r', pack.folder, join(root, 'package')]);
    chmodSync(root, 0o755);
  }

  function install(): { status: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync(
      '/usr/sbin/chroot',
      [root, '/bin/sh', '/package/install.sh', '--skip-images'],
      { encoding: 'utf8', timeout: 60_000, env: { PATH: '/bin' } },
    );
    return { status, stdout, stderr };
  }

  it.runIf(existsSync('/usr/bin/busybox') && existsSync('/usr/sbin/chroot'))(
    'looks at every folder from / on',
    () => {
      makeMachine();
      expect(install()).toMatchObject({ status: 0, stdout: expect.stringContaining('11 files placed') });
      chownSync(join(root, 'usr/local/bin/kubelet'), STRANGER, STRANGER);
      expect(install()).toMatchObject({ status: 0, stdout: expect.stringContaining('1 file placed') });
      chmodSync(root, 0o777);
      expect(install()).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(' / is not safe: every user'),
      });
      chmodSync(root, 0o755);
      chownSync(root, STRANGER, STRANGER);
      expect(install()).toMatchObject({ status: 1, stderr: expect.stringContaining(' / is not safe: user') });
    },
  );
});
