import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { HttpAnswer } from '../../src/lib/http/http.ts';

/** Returns an answer that came from nowhere: with these headers, and this for a body. */
export function answerOf(url: URL, headers: HttpAnswer['headers'], body = ''): HttpAnswer {
  const message = new IncomingMessage(new Socket());
  if (body !== '') message.push(Buffer.from(body));
  message.push(null);
  return { status: 200, headers, url, body: message };
}
