import type { IncomingMessage } from 'node:http';
import type { Fault } from './faults.ts';
import type { JournalEntry } from './journal.ts';
import { resetConnection } from './listener.ts';
import { ConnectionBroken } from './sending.ts';

/** Returns a request's body and counts it; a fault may break the connection on the way. Throws `ConnectionBroken`. */
export async function* readRequest(
  request: IncomingMessage,
  entry: JournalEntry,
  fault: Fault | undefined,
): AsyncGenerator<Buffer> {
  const limit = fault?.kind === 'reset-request' ? fault.afterBytes : Number.POSITIVE_INFINITY;
  try {
    for await (const piece of request) {
      if (!Buffer.isBuffer(piece)) throw new Error('request bodies come as buffers');
      const kept = piece.subarray(0, Math.min(piece.length, limit - entry.bytesIn));
      entry.bytesIn += kept.length;
      if (kept.length > 0) yield kept;
      if (entry.bytesIn < limit) continue;
      resetConnection(request.socket);
      throw new ConnectionBroken('reset while the request came in');
    }
  } catch (error) {
    if (error instanceof ConnectionBroken || !request.destroyed) throw error;
    throw new ConnectionBroken('the client left', { cause: error });
  }
}
