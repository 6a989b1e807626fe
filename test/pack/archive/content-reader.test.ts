import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openContent } from '../../../src/pack/archive/content-reader.ts';
import type { FileEntry } from '../../../src/pack/archive/entry.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

type Content = FileEntry['content'];

const TEXT = 'the content of an entry';
const { signal } = new AbortController();

function entry(content: Content, size: number): FileEntry {
  return { kind: 'file', path: 'a', mode: 0o644, size, content };
}

function stream(...pieces: string[]): Content {
  async function* open(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield Buffer.from(piece);
  }
  return { kind: 'stream', open: async () => open() };
}

function file(start?: number): Content {
  const path = join(scratchFolder(), 'a');
  writeFileSync(path, TEXT);
  return start === undefined ? { kind: 'file', path } : { kind: 'file', path, start };
}

/** Reads in pieces that fit no piece of the content. */
async function read(given: FileEntry): Promise<string> {
  const reader = await openContent(given, signal);
  const pieces: Buffer[] = [];
  try {
    for (;;) {
      const piece = Buffer.alloc(5);
      const count = await reader.read(piece);
      if (count === 0) return Buffer.concat(pieces).toString();
      pieces.push(piece.subarray(0, count));
    }
  } finally {
    await reader.close();
  }
}

test.each<[string, () => Content, string]>([
  ['memory', () => ({ kind: 'bytes', bytes: Buffer.from(TEXT) }), TEXT],
  ['a file', () => file(), TEXT],
  ['a slice of a file', () => file(4), TEXT.slice(4)],
  ['a stream', () => stream('the content', '', ' of an entry'), TEXT],
])('content in %s is read to its end', async (_, content, expected) => {
  expect(await read(entry(content(), expected.length))).toBe(expected);
});

test.each<[string, () => Content, number, string]>([
  ['memory', () => ({ kind: 'bytes', bytes: Buffer.from(TEXT) }), 9, '23'],
  ['a file', () => file(), 9, '23'],
  ['a slice that ends too soon', () => file(4), 23, 'only 19'],
  ['a stream that ends too soon', () => stream('the', ' content'), 23, 'only 11'],
  ['a stream that goes on', () => stream('the content', ' of an entry'), 12, 'more'],
])('content of another size is refused: %s', async (_, content, size, found) => {
  await expect(read(entry(content(), size))).rejects.toMatchObject({
    code: 'CONTENT_SIZE_MISMATCH',
    message: `its declared size is ${size} bytes, but its content has ${found}`,
  });
});

test('a stream that is left is told to end', async () => {
  let isEnded = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(10);
    } finally {
      isEnded = true;
    }
  }
  const reader = await openContent(entry({ kind: 'stream', open: async () => endless() }, 1000), signal);
  await reader.read(Buffer.alloc(10));
  await reader.close();
  expect(isEnded).toBe(true);
});
