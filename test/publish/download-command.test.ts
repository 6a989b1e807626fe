import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { comparisonCommand, downloadCommand } from '../../src/publish/contract/download-command.ts';
import { parseDigest } from '../../src/registry/oci/digest.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const CONTENT = 'a package';
const sha256 = parseDigest(`sha256:${createHash('sha256').update(CONTENT).digest('hex')}`, 'test');

it.each([
  ['kube-1.37.1-amd64.tar.gz', 'https://a.example/kube-1.37.1-amd64.tar.gz'],
  ['with space.tar.gz', 'https://a.example/with%20space.tar.gz?a=1&b=2'],
  ["$(touch owned)'`touch owned`.tar.gz", "https://a.example/$(touch%20owned)'.tar.gz"],
])('the command for %s downloads it, compares it, and does nothing else', (name, address) => {
  const folder = scratchFolder();
  // It has the file at hand, and tells what it was asked.
  const curl = `#!/bin/sh\nprintf '%s\\n' "$@" > asked\nprintf '%s' '${CONTENT}' > "$2"\n`;
  writeFileSync(join(folder, 'curl'), curl, { mode: 0o755 });
  const options = {
    cwd: folder,
    env: { PATH: `${folder}:${process.env['PATH']}` },
    encoding: 'utf8',
  } as const;
  const said = execFileSync('sh', ['-c', downloadCommand(address, { name, sha256 })], options);
  expect(said).toContain(': OK');
  const left = execFileSync('sh', ['-c', 'cat asked; ls -A'], options).split('\n');
  expect(left.toSorted()).toEqual(['', '-fLo', address, 'asked', 'curl', name, name].toSorted());
});

it('a package with another sum is told', () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'a.tar.gz'), 'something else');
  const check = comparisonCommand({ name: 'a.tar.gz', sha256 });
  expect(() => execFileSync('sh', ['-c', check], { cwd: folder, stdio: 'ignore' })).toThrow('Command failed');
});
