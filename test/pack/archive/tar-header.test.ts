import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileEntry } from '../../../src/pack/archive/entry.ts';
import { entryHeader, paddingAfter } from '../../../src/pack/archive/tar-header.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { has, run } from './archive-reader.ts';

const GIB = 1024 ** 3;

function file(path: string, size: number): FileEntry {
  return { kind: 'file', path, mode: 0o644, size, content: { kind: 'file', path: '/dev/zero' } };
}

test('a short name takes one record, a foreign or very long one brings a pax header', () => {
  expect(entryHeader(file('a'.repeat(100), 1))).toHaveLength(512);
  expect(entryHeader(file(`${'a'.repeat(155)}/${'b'.repeat(100)}`, 1))).toHaveLength(512);
  expect(entryHeader(file(`${'a'.repeat(156)}/${'b'.repeat(100)}`, 1))).toHaveLength(3 * 512);
  expect(entryHeader(file('a'.repeat(101), 1))).toHaveLength(3 * 512);
  expect(entryHeader(file('é', 1))).toHaveLength(3 * 512);
});

// The length of a pax record counts its own digits, which matters where they become more.
test.skipIf(!has('tar')).each([100, 200, 90 + 900, 989, 990, 991, 992])('a name of %d bytes', (length) => {
  const folder = scratchFolder();
  const parts = Array.from({ length: Math.ceil(length / 200) }, () => 'é'.repeat(99));
  const path = parts.join('/').slice(0, length / 2);
  writeFileSync(join(folder, 'a.tar'), Buffer.concat([entryHeader(file(path, 0)), Buffer.alloc(1024)]));
  expect(run('tar', '--quoting-style=literal', '-tf', join(folder, 'a.tar'))).toBe(`${path}\n`);
});

describe('sizes around 8 GiB', () => {
  const sizes = [0, 511, 8 * GIB - 1, 8 * GIB, 8 * GIB + 1, 70 * GIB];

  function sparseTar(size: number): string {
    const path = join(scratchFolder(), 'a.tar');
    const header = entryHeader(file('big', size));
    writeFileSync(path, header);
    truncateSync(path, header.length + size + paddingAfter(size) + 1024);
    return path;
  }

  test.skipIf(!has('tar')).each(sizes)('%d in GNU tar', (size) => {
    expect(run('tar', '-tvf', sparseTar(size))).toMatch(new RegExp(` ${size} 1980-01-01 00:00 big\n$`));
  });

  test.skipIf(!has('python3')).each(sizes)('%d in Python', (size) => {
    const program = 'import sys, tarfile; print([(m.name, m.size) for m in tarfile.open(sys.argv[1], "r:")])';
    expect(run('python3', '-c', program, sparseTar(size))).toBe(`[('big', ${size})]\n`);
  });

  test.skipIf(!has('busybox')).each(sizes)('%d in busybox', (size) => {
    expect(run('busybox', 'tar', '-tvf', sparseTar(size))).toMatch(
      new RegExp(` ${size} 1980-01-01 00:00:00 big\n$`),
    );
  });
});
