import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { type Duration, formatDuration, seconds } from '../lib/duration.ts';
import { Failure } from '../lib/failure.ts';
import { parseJson } from '../lib/json.ts';
import { TEXT_FIELD } from '../lib/zero-value.ts';

/** A user name and password. */
interface HelperCredentials {
  readonly username: string;
  readonly password: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
// https://github.com/docker/docker-credential-helpers/blob/master/credentials/error.go
const NOT_FOUND = /credentials not found/;
const ANSWER = z.object({ Username: TEXT_FIELD, Secret: TEXT_FIELD });

/**
 * Returns a host's credentials from `docker-credential-<helper>`, as Docker does, or undefined if it has none. Throws
 * `CREDENTIAL_HELPER_FAILED`, without the program's output, which may contain a secret, or the signal's reason.
 */
export async function askCredentialHelper(
  helper: string,
  host: string,
  signal: AbortSignal,
  patience: Duration = seconds(30),
): Promise<HelperCredentials | undefined> {
  const program = `docker-credential-${helper}`;
  const failed = (message: string, hint: string, cause?: unknown) =>
    new Failure({ code: 'CREDENTIAL_HELPER_FAILED', about: program, message, hint, cause });
  if (!NAME.test(helper)) {
    throw failed(
      'this is not the name of a credential helper',
      'correct it in the config.json or auth.json that has it',
    );
  }
  signal.throwIfAborted();
  const { code, output } = await run(program, host, signal, patience).catch((error: unknown) => {
    throw failed(
      `it could not be run for ${host}`,
      'install it, drop it from the config.json or auth.json that names it, or give user name and password',
      error,
    );
  });
  signal.throwIfAborted();
  if (code === undefined) {
    throw failed(
      `it did not answer for ${host} within ${formatDuration(patience)}`,
      'run it by hand to see why',
    );
  }
  if (code !== 0) {
    if (NOT_FOUND.test(output)) return undefined;
    throw failed(`it failed for ${host} with exit code ${code}`, 'run it by hand to see why');
  }
  const answer = ANSWER.safeParse(parseJson(output));
  if (!answer.success) throw failed(`its answer for ${host} is not what Docker expects`, 'update it');
  const { Username = '', Secret } = answer.data;
  return Secret === undefined ? undefined : { username: Username, password: Secret };
}

/** Returns the exit code and standard output of `<program> get`. The code is undefined if it had to be killed. */
async function run(
  program: string,
  host: string,
  signal: AbortSignal,
  patience: Duration,
): Promise<{ code: number | undefined; output: string }> {
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], shell: false });
  const kill = (): void => {
    child.kill('SIGKILL');
    // What the helper has started may hold its output open for as long as it likes.
    child.stdout.destroy();
  };
  const timer = setTimeout(kill, patience);
  signal.addEventListener('abort', kill, { once: true });
  try {
    const ended = new Promise<number | undefined>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? undefined));
    });
    // A helper that does not read its input closes the pipe. Its exit code is more useful than that error.
    child.stdin.on('error', () => undefined);
    child.stdin.end(host);
    const [output, code] = await Promise.all([text(child.stdout).catch(() => ''), ended]);
    return { code, output };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
  }
}
