import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { leaveValue } from '../../src/actions/command-file.ts';
import { parseKeyValues } from '../support/command-files.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('no value can set another output, whatever lines it has', async () => {
  const file = join(scratchFolder(), 'output');
  writeFileSync(file, '');
  vi.stubEnv('GITHUB_OUTPUT', file);
  const evil = 'a.tar.gz\nfailed=0\nreport<<EOF\n/etc/passwd\nEOF\n::set-output name=failed::0';
  leaveValue('GITHUB_OUTPUT', 'package', evil);
  leaveValue('GITHUB_OUTPUT', 'failed', '7');
  expect(parseKeyValues(await readFile(file, 'utf8'))).toEqual({ package: evil, failed: '7' });
  // A delimiter that was seen once is no help with the next.
  const [first, second] = [...(await readFile(file, 'utf8')).matchAll(/<<(keel-[0-9a-f-]+)\n/g)].map(
    ([, word]) => word,
  );
  expect(first).not.toBe(second);
});
