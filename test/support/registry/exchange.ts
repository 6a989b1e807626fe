import type { JournalEntry } from './journal.ts';

/** One request while it is being answered. */
export interface Exchange {
  readonly entry: JournalEntry;
  /** As the client asked, with scheme and host. */
  readonly url: URL;
  /** Before the path at which this listener's repositories begin, such as `k8s-artifacts-prod/images/`. */
  readonly prefix: string;
  /** The request's body; a fault may cut it. */
  readonly body: AsyncIterable<Buffer>;
}

/** Returns a request's header, the first where there are several. */
export function headerOf(exchange: Exchange, name: string): string | undefined {
  const value = exchange.entry.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Reads a body into memory, up to a limit; undefined when it is larger. */
export async function readBody(exchange: Exchange, limit: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of exchange.body) {
    size += piece.length;
    if (size <= limit) pieces.push(piece);
  }
  return size > limit ? undefined : Buffer.concat(pieces);
}

/** Reads a body that nobody wants. */
export async function drain(exchange: Exchange): Promise<void> {
  for await (const piece of exchange.body) void piece;
}
