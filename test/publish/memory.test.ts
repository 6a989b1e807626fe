import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Kodo } from '../support/kodo/kodo.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const MIB = 1024 * 1024;
const SIZE = 384 * MIB;
const PROGRAM = join(import.meta.dirname, '../../bench/upload-run.ts');
const resultShape = z.object({ peakMiB: z.number() });

it('uploads a large package in little memory', { timeout: 120_000 }, async () => {
  await using kodo = await Kodo.start({ keep: 'hashes' });
  const path = join(scratchFolder(), 'kube-1.36.2-amd64.tar.gz');
  await using sparse = await open(path, 'w');
  await sparse.truncate(SIZE);
  const { accessKey, secretKey } = kodo.account;
  const run = await promisify(execFile)(process.execPath, [
    PROGRAM,
    'keel',
    path,
    kodo.url,
    accessKey,
    secretKey,
  ]);
  const { peakMiB } = resultShape.parse(JSON.parse(run.stdout));
  expect(kodo.object('keel', 'kube-1.36.2-amd64.tar.gz')).toMatchObject({ size: SIZE });
  expect(kodo.requests('part')).toHaveLength(SIZE / (4 * MIB));
  // Node and the packages take about 100 MiB, 16 parts under way 64 MiB.
  expect(peakMiB).toBeLessThan(220);
});
