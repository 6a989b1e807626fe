import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, test } from 'vitest';
import { describeWith } from '../support/programs.ts';
import { UnpackedPackage } from '../support/unpacked-package.ts';

/** What install.sh looks for before anything else. */
const NEEDS =
  /for program in ([\s\S]*?); do/.exec(readFileSync('package/install.sh', 'utf8'))?.[1]?.match(/\w+/g) ?? [];

/** What it uses where it is there: each is asked for by `command -v`, or its failing is told. */
const OPTIONAL = ['ip', 'modprobe', 'sysctl', 'zcat'];

let pack: UnpackedPackage;
let bin: string;

/** Makes the only programs of the machine those of busybox by these names. */
function haveOnly(names: readonly string[]): void {
  mkdirSync(bin);
  for (const name of ['sh', ...names]) symlinkSync('/usr/bin/busybox', join(bin, name));
}

function install(...options: string[]) {
  return pack.install(options, { before: [join(bin, 'sh')], environment: { PATH: bin } });
}

beforeEach(() => {
  pack = new UnpackedPackage();
  bin = join(pack.workplace, 'bin');
});

describeWith(['busybox'], 'the programs of the machine', () => {
  test.each([
    { lacks: ['find'], packages: 'findutils' },
    { lacks: ['find', 'tar', 'stat', 'sort'], packages: 'findutils coreutils tar' },
    { lacks: ['sha256sum', 'awk', 'dirname'], packages: 'gawk coreutils' },
    { lacks: NEEDS.toSorted(), packages: 'gawk coreutils findutils grep sed tar' },
  ])('that are missing are told together, before anything is changed: $lacks', ({ lacks, packages }) => {
    haveOnly(NEEDS.filter((name) => !lacks.includes(name)));
    expect(install()).toEqual({
      status: 1,
      stdout: '',
      stderr:
        `install.sh: not found on this machine: ${lacks.toSorted().join(' ')}; nothing was changed. ` +
        `Install ${packages}, or busybox with a link for each command\n`,
    });
    expect(readdirSync(pack.root)).toEqual([]);
  });

  it('are all that it needs, for what it only tells, a step that fails, a change and a second run', () => {
    haveOnly(NEEDS);
    expect(install('--dry-run')).toMatchObject({ status: 0, stderr: '' });
    const failed = pack.install(['--address', '/run/test.sock'], {
      before: [join(bin, 'sh')],
      environment: { PATH: bin, KEEL_TEST_CTR: 'broken' },
    });
    expect([failed.status, failed.stderr.includes('restoring the previous state')]).toEqual([1, true]);
    expect(failed.stderr).not.toContain('not found');
    expect(install('--address', '/run/test.sock').stderr).toBe('');
    expect(install()).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('0 files') });
  });

  it('are looked for wherever the library runs one', () => {
    const known = execFileSync('busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
    // The last is a word of the library's own.
    const builtins = [
      '[',
      '[[',
      'echo',
      'kill',
      'printf',
      'pwd',
      'test',
      'true',
      'false',
      'sh',
      'wait',
      'init',
    ];
    const allowed = new Set([...NEEDS, ...OPTIONAL, ...builtins]);
    const begins = String.raw`(?:^|[|&;({]|\b(?:then|do|else|if|while|until)\b|! )\s*`;
    const found = readdirSync('package/install').flatMap((file) => {
      const text = readFileSync(join('package/install', file), 'utf8')
        .replaceAll(/^\s*#.*$/gm, '')
        .replaceAll(/<<'TEXT'[\s\S]*?^TEXT$/gm, '')
        .replaceAll(/'[^']*'/g, "''");
      return known
        .filter((name) => !allowed.has(name))
        .filter((name) => new RegExp(`${begins}${name}(?= [-"'$</\\d]|\\s*[|)]|$)`, 'm').test(text))
        .map((name) => `${file}: ${name}`);
    });
    expect(found).toEqual([]);
  });
});
