import { constants, createReadStream, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';
import { formatSize } from './text/size.ts';

/** Larger than any file that a person writes, or a tool for a person. */
const SIZE_LIMIT = 256 * 1024 ** 2;

// Opening a pipe that no program writes would wait, and only a kill would end this process.
const READ_WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Returns the content of a file that a user names: an ordinary file, a pipe such as a shell makes from `<(…)`, or a
 * terminal (`/dev/stdin`). Waits for pipes and terminals until the signal aborts. Throws errors of the system, the
 * signal's reason, and an error without a code if the content has no end.
 */
export async function readGivenFile(file: string, signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  return contentWithin(contentOf(openSync(file, READ_WITHOUT_WAITING), signal), signal);
}

/** Returns the content of standard input, and waits for it until the signal aborts. Throws as `readGivenFile` does. */
export async function readStandardInput(signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  return contentWithin(contentOf(STANDARD_INPUT, signal), signal);
}

async function contentWithin(content: Readable, signal: AbortSignal): Promise<Buffer> {
  try {
    return await collect(content);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** Its file descriptor. */
const STANDARD_INPUT = 0;

/** Returns the content of an open file, and closes it at its end. */
function contentOf(fd: number, signal: AbortSignal): Readable {
  // Pipes and terminals are read by events. Read as a file, a terminal has no content, and a pipe occupies a thread while
  // it waits.
  if (isatty(fd)) return addAbortSignal(signal, new ReadStream(fd));
  const stats = fstatSync(fd);
  if (!stats.isFIFO() && !stats.isSocket()) return createReadStream('', { fd, signal });
  return addAbortSignal(signal, new Socket({ fd, readable: true, writable: false }));
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of pieces) {
    length += part.length;
    if (length > SIZE_LIMIT) throw new Error(`it is larger than ${formatSize(SIZE_LIMIT)}`);
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}
