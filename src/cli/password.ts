import { text } from 'node:stream/consumers';
import { Failure } from '../lib/failure.ts';

/** Where `--password-stdin` reads; `process.stdin` is one. */
export type InputStream = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** Reads a password from standard input, without the line end that `echo` adds. Throws `FLAG_MALFORMED`. */
export async function readPassword(input: InputStream): Promise<string> {
  const refuse = (message: string) =>
    new Failure({
      code: 'FLAG_MALFORMED',
      about: '--password-stdin',
      message,
      hint: 'write: synctl sync --username NAME --password-stdin < FILE',
    });
  if (input.isTTY === true) throw refuse('standard input is a terminal, where the password would be seen');
  const password = (await text(input)).replace(/\r?\n$/, '');
  if (password === '') throw refuse('standard input is empty');
  return password;
}
