import type { Content } from './content.ts';

/** What a request is answered with; sending it, whole or broken, is another matter. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Content;
  /** In place of a body whose size is known. */
  readonly made?: Iterable<Buffer>;
  /** The part of the body that is sent; all of it without. */
  readonly start?: number;
  readonly end?: number;
}

/** An answer without a body. */
export function empty(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers };
}

/** An answer with a text. */
export function text(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = { 'content-type': 'text/plain; charset=utf-8' },
): Answer {
  return { status, headers, body: { kind: 'bytes', bytes: Buffer.from(body) } };
}

/** An answer with JSON. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return text(status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

/** An error as registries tell it (distribution-spec, "Error Codes"). */
export function refusal(
  status: number,
  code: string,
  message = code.toLowerCase().replaceAll('_', ' '),
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return json(status, { errors: [{ code, message }] }, headers);
}
