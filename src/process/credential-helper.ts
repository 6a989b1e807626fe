import { z } from 'zod';
import { type Duration, formatDuration, seconds } from '../lib/duration.ts';
import { Failure } from '../lib/failure.ts';
import { parseJson } from '../lib/json.ts';
import { TEXT_FIELD } from '../lib/zero-value.ts';
import { runProgram } from './program-run.ts';

/** A user name and password. */
interface HelperCredentials {
  readonly username: string;
  readonly password: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
// https://github.com/docker/docker-credential-helpers/blob/master/credentials/error.go
const NOT_FOUND = /credentials not found/;
/** Several times as long as the tokens of clouds. */
const OUTPUT_LIMIT = 64 * 1024;
const BY_HAND = 'run it by hand to see why';
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
      'correct it in the config.json or auth.json that contains it',
    );
  }
  signal.throwIfAborted();
  const limits = { patience, output: OUTPUT_LIMIT, signal };
  const ended = await runProgram([program, 'get'], host, limits).catch((error: unknown) => {
    throw failed(
      `it could not be run for ${host}`,
      'install it, remove it from the config.json or auth.json that names it, or give a user name and password',
      error,
    );
  });
  signal.throwIfAborted();
  if (ended.by !== 'itself') {
    throw ended.by === 'output'
      ? failed(`its answer for ${host} is larger than ${OUTPUT_LIMIT / 1024} KiB`, BY_HAND)
      : failed(`it did not answer for ${host} within ${formatDuration(patience)}`, BY_HAND);
  }
  const { code, output } = ended;
  if (code === undefined) throw failed(`it was killed before it answered for ${host}`, BY_HAND);
  if (code !== 0) {
    if (NOT_FOUND.test(output)) return undefined;
    throw failed(`it failed for ${host} with exit code ${code}`, BY_HAND);
  }
  const answer = ANSWER.safeParse(parseJson(output));
  if (!answer.success) throw failed(`its answer for ${host} is not what Docker expects`, 'update it');
  const { Username = '', Secret } = answer.data;
  return Secret === undefined ? undefined : { username: Username, password: Secret };
}
