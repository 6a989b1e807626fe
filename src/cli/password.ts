import { parseSwitch } from '../config/flags/flag-value.ts';
import { readsInput } from '../config/flags/given-images-flag.ts';
import { parseDuration } from '../lib/duration.ts';
import { Failure } from '../lib/failure.ts';
import { RunDeadline } from '../lib/run-deadline.ts';
import { withinSignal } from '../lib/within-signal.ts';

/** What `--password-stdin` reads from. `process.stdin` is one. */
export type InputStream = NodeJS.ReadableStream & {
  readonly isTTY?: boolean | undefined;
  readonly destroy: () => unknown;
};

/** Longer than any token. */
const LENGTH_LIMIT = 64 * 1024;

/**
 * Returns the flags of a command, with the password from standard input if `--password-stdin` is set, and notices for
 * the user. Waits for it within `--command-timeout`. Throws `FLAG_MALFORMED` and `COMMAND_TIMED_OUT`.
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
      '--password: every user of this machine can read it in the process list; ' +
      '--password-stdin and KEEL_PASSWORD keep it private';
    return { values, notices: [notice] };
  }
  if (values.has('password')) {
    throw new Failure({
      code: 'FLAG_MALFORMED',
      fault: 'usage',
      about: '--password-stdin',
      message: '--password is given too',
      hint: 'give only one of them',
    });
  }
  if (readsInput(values.get('images'))) {
    throw new Failure({
      code: 'FLAG_MALFORMED',
      fault: 'usage',
      about: '--password-stdin',
      message: '--images - reads standard input as well',
      hint: 'write the images to a file, or set KEEL_PASSWORD',
    });
  }
  const limit = parseDuration(values.get('command-timeout') ?? '0', '--command-timeout');
  using deadline = new RunDeadline(limit, new AbortController().signal);
  values.set('password', await readPassword(input, command, deadline.signal));
  return { values, notices: [] };
}

/** Returns the password on standard input, without the line end that `echo` adds and the mark that
 * PowerShell sets before it. Throws `FLAG_MALFORMED`. */
async function readPassword(input: InputStream, command: string, signal: AbortSignal): Promise<string> {
  const refuse = (message: string) =>
    new Failure({
      code: 'FLAG_MALFORMED',
      fault: 'usage',
      about: '--password-stdin',
      message,
      hint: `write: ${command} --username NAME --password-stdin < FILE`,
    });
  if (input.isTTY === true) throw refuse('standard input is a terminal, which would show the password');
  const given = await withinSignal(firstOf(input), signal).catch((error: unknown) => {
    // An open input would keep the process.
    input.destroy();
    throw error;
  });
  if (given.length > LENGTH_LIMIT) throw refuse('standard input contains more than a password');
  const password = given
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replace(/\r?\n$/, '');
  if (password === '') throw refuse('standard input is empty');
  return password;
}

/** Returns the content of a stream, or slightly more than the limit if it is longer. */
async function firstOf(input: InputStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of input) {
    const bytes = Buffer.from(part);
    parts.push(bytes);
    length += bytes.length;
    if (length > LENGTH_LIMIT) break;
  }
  return Buffer.concat(parts);
}
