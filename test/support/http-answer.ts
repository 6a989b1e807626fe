import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { HttpAnswer } from '../../src/lib/http/http.ts';

/** Returns an answer that came from nowhere: with these headers, and without a body unless one is given. */
export function answerOf(
  url: URL,
  headers: HttpAnswer['headers'],
  { status = 200, body = '' }: { readonly status?: number; readonly body?: string } = {},
): HttpAnswer {
  const message = new IncomingMessage(new Socket());
  if (body !== '') message.push(Buffer.from(body));
  message.push(null);
  return { status, headers, url, body: message };
}
