import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, empty, text } from './answer.ts';
import { contentSize, readContent } from './content.ts';
import type { Fault } from './faults.ts';
import type { JournalEntry } from './journal.ts';
import { resetConnection } from './listener.ts';

const TRICKLE_STEP_MILLISECONDS = 20;

/** Says that the connection is gone, by a fault or because the client left. */
export class ConnectionBroken extends Error {}

/** Returns the answer that a fault puts in the place of the real one, if it does. */
export function answerOfFault(fault: Fault | undefined, url: URL): Answer | undefined {
  if (fault?.kind === 'status') {
    const headers = { 'content-type': 'application/json', ...fault.headers };
    return text(fault.status, fault.body ?? '{"errors":[]}', headers);
  }
  if (fault?.kind === 'redirect') {
    const { location, status = 307 } = fault;
    return empty(status, { location: typeof location === 'string' ? location : location(url) });
  }
  if (fault?.kind === 'made') {
    const { status = 200, headers, pieces } = fault;
    const all = { 'content-type': 'application/json', ...headers?.(url) };
    return { ...empty(status, all), made: pieces(url) };
  }
  if (fault?.kind === 'huge-json') return empty(fault.status ?? 200, { 'content-type': 'application/json' });
  return undefined;
}

function* hugeJson(bytes: number): Generator<Buffer> {
  yield Buffer.from('{"tags":["');
  const piece = Buffer.alloc(64 * 1024, 'x');
  for (let left = bytes; left > 0; left -= piece.length)
    yield piece.subarray(0, Math.min(left, piece.length));
  yield Buffer.from('"]}');
}

function* firstBytes(pieces: Iterable<Buffer>, count: number): Generator<Buffer> {
  let left = count;
  for (const piece of pieces) {
    if (left <= 0) return;
    yield piece.subarray(0, left);
    left -= piece.length;
  }
}

function* otherBytes(pieces: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece.map((byte) => byte ^ 1));
}

async function* slowly(pieces: Iterable<Buffer>, bytesPerSecond: number): AsyncGenerator<Buffer> {
  const step = Math.max(1, Math.round((bytesPerSecond * TRICKLE_STEP_MILLISECONDS) / 1000));
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += step) {
      yield piece.subarray(at, at + step);
      await sleep((step / bytesPerSecond) * 1000);
    }
  }
}

function piecesOf(answer: Answer, fault: Fault | undefined): Iterable<Buffer> | AsyncIterable<Buffer> {
  if (answer.made !== undefined) return answer.made;
  const pieces = answer.body === undefined ? [] : readContent(answer.body, answer.start, answer.end);
  switch (fault?.kind) {
    case 'huge-json':
      return hugeJson(fault.bytes);
    case 'truncate':
      return firstBytes(pieces, fault.bytes);
    case 'reset-answer':
      return firstBytes(pieces, fault.afterBytes);
    case 'silence':
      return firstBytes(pieces, fault.afterBytes ?? 0);
    case 'wrong-bytes':
      return otherBytes(pieces);
    case 'trickle':
      return slowly(pieces, fault.bytesPerSecond);
    default:
      return pieces;
  }
}

function declaredLength(length: number, fault: Fault | undefined): number | undefined {
  if (fault?.kind === 'huge-json' || fault?.kind === 'made') return undefined;
  if (fault?.kind === 'wrong-length') return length + fault.difference;
  return fault?.kind === 'truncate' && fault.declared === 'short' ? Math.min(fault.bytes, length) : length;
}

function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      response.off('drain', settle);
      response.off('close', settle);
      if (response.destroyed) reject(new ConnectionBroken('the client left'));
      else resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
  });
}

function flushed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.write('', () => resolve()));
}

/** Waits until the client gives up or the registry closes. */
function untilClosed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    else response.on('close', resolve);
  });
}

async function finish(response: ServerResponse, fault: Fault | undefined): Promise<void> {
  const declaredMore =
    (fault?.kind === 'truncate' && fault.declared === 'whole') ||
    (fault?.kind === 'wrong-length' && fault.difference > 0);
  if (fault?.kind === 'silence') {
    await untilClosed(response);
    throw new ConnectionBroken('never answered');
  }
  if (fault?.kind === 'reset-answer') {
    await flushed(response);
    resetConnection(response.socket);
    throw new ConnectionBroken('reset while answering');
  }
  if (declaredMore) {
    response.socket?.end();
    throw new ConnectionBroken('closed in the middle of the answer');
  }
  await new Promise<void>((resolve) => response.end(resolve));
}

/** Lets a request wait, or breaks it off, as faults want it before it is answered. Throws `ConnectionBroken`. */
export async function breakBefore(
  waits: readonly Fault[],
  fault: Fault | undefined,
  response: ServerResponse,
): Promise<void> {
  for (const wait of waits) {
    const gone = untilClosed(response);
    if (wait.kind === 'delay') await Promise.race([sleep(wait.milliseconds), gone]);
    if (wait.kind === 'hold') await Promise.race([wait.until, gone]);
    if (response.destroyed) throw new ConnectionBroken('the client left');
  }
  if (fault?.kind === 'reset') {
    resetConnection(response.socket);
    throw new ConnectionBroken('reset before an answer');
  }
  if (fault?.kind === 'silence' && fault.afterBytes === undefined) {
    await untilClosed(response);
    throw new ConnectionBroken('never answered');
  }
}

/** Sends an answer, whole or broken as a fault wants it. Throws `ConnectionBroken` when the client cannot have it all. */
export async function sendAnswer(
  answer: Answer,
  fault: Fault | undefined,
  entry: JournalEntry,
  response: ServerResponse,
): Promise<void> {
  if (fault?.kind === 'lost-answer') {
    resetConnection(response.socket);
    throw new ConnectionBroken('reset before the answer to what was done');
  }
  entry.status = answer.status;
  const size = answer.body === undefined ? 0 : contentSize(answer.body);
  const length = (answer.end ?? size) - (answer.start ?? 0);
  const declared = declaredLength(length, fault);
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(declared === undefined || answer.status === 204 ? {} : { 'content-length': String(declared) }),
  });
  response.flushHeaders();
  if (entry.method !== 'HEAD') {
    for await (const piece of piecesOf(answer, fault)) {
      if (response.destroyed) throw new ConnectionBroken('the client left');
      entry.bytesOut += piece.length;
      if (!response.write(piece)) await writable(response);
    }
  }
  await finish(response, fault);
}
