import { text } from 'node:stream/consumers';
import { parseSwitch } from '../config/flags/flag-value.ts';
import { Failure } from '../lib/failure.ts';

/** What `--password-stdin` reads from. `process.stdin` is one. */
export type InputStream = NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };

/**
 * Returns the flags of a command, with the password from standard input if `--password-stdin` is set, and notices for
 * the user. Throws `FLAG_MALFORMED`.
 */
export async function takePassword(
  given: ReadonlyMap<string, string>,
  input: InputStream,
  command: string,
): Promise<{ readonly values: ReadonlyMap<string, string>; readonly notices: readonly string[] }> {
  const values = new Map(given);
  if (!parseSwitch(values.get('password-stdin') ?? 'no', '--password-stdin')) {
    if (!values.has('password')) return { values, notices: [] };
    const notice =
      '--password: every user of this machine can read it in the list of processes; ' +
      '--password-stdin and KEEL_PASSWORD keep it private';
    return { values, notices: [notice] };
  }
  if (values.has('password')) {
    throw new Failure({
      code: 'FLAG_MALFORMED',
      fault: 'usage',
      about: '--password-stdin',
      message: 'there is --password as well',
      hint: 'give one of them',
    });
  }
  values.set('password', await readPassword(input, command));
  return { values, notices: [] };
}

/** Returns the password on standard input, without the line end that `echo` adds and the mark that
 * PowerShell sets before it. Throws `FLAG_MALFORMED`. */
async function readPassword(input: InputStream, command: string): Promise<string> {
  const refuse = (message: string) =>
    new Failure({
      code: 'FLAG_MALFORMED',
      fault: 'usage',
      about: '--password-stdin',
      message,
      hint: `write: ${command} --username NAME --password-stdin < FILE`,
    });
  if (input.isTTY === true) throw refuse('standard input is a terminal, where the password would be seen');
  const password = (await text(input)).replace(/^\uFEFF/, '').replace(/\r?\n$/, '');
  if (password === '') throw refuse('standard input is empty');
  return password;
}
