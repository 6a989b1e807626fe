import { Refusal } from './signatures.ts';

/** The fields of a form upload; the file is the field `file`. */
export interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly file: Buffer | undefined;
  readonly fileType: string | undefined;
}

function headerValue(head: string, pattern: RegExp): string | undefined {
  return pattern.exec(head)?.[1];
}

/** Reads a `multipart/form-data` body (RFC 7578), which forms keep small enough to be held. */
export function parseForm(contentType: string, body: Buffer): Form {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Refusal(400, 'invalid multipart format: no boundary');
  const delimiter = Buffer.from(`--${boundary}`);
  const fields = new Map<string, string>();
  let file: Buffer | undefined;
  let fileType: string | undefined;
  let at = body.indexOf(delimiter);
  while (at >= 0) {
    const start = at + delimiter.length;
    const next = body.indexOf(delimiter, start);
    if (next < 0) break;
    const headEnd = body.indexOf('\r\n\r\n', start);
    if (headEnd < 0 || headEnd > next) throw new Refusal(400, 'invalid multipart format');
    const head = body.subarray(start, headEnd).toString('utf8');
    const value = body.subarray(headEnd + 4, next - 2);
    const name = headerValue(head, /[;\s]name="([^"]*)"/);
    if (name === 'file') {
      file = value;
      fileType = headerValue(head, /content-type:\s*([^\r\n]+)/i);
    } else if (name !== undefined) {
      fields.set(name, value.toString('utf8'));
    }
    at = next;
  }
  return { fields, file, fileType };
}
