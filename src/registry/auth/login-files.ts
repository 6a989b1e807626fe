import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A file in which a program such as docker or podman stores logins. All have the form of Docker's `config.json`. */
export interface LoginFile {
  readonly path: string;
  /** What to do if it cannot be read, other than repairing it: a command. */
  readonly remedy: string;
  /** Whether it can be in the folder of another user. If we may not read it, it is not ours. */
  readonly mayBeOthers?: boolean | undefined;
}

const ROOT = 0;

/**
 * Returns the files in which logins are looked for, the first one first: the one that `REGISTRY_AUTH_FILE` names, Docker's,
 * and those of podman, skopeo and buildah. `REGISTRY_AUTH_FILE` takes the place of the one that `podman login` writes
 * (https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md).
 */
export function loginFiles(environment: NodeJS.ProcessEnv, user = process.getuid?.()): readonly LoginFile[] {
  const {
    REGISTRY_AUTH_FILE: named,
    DOCKER_CONFIG: docker,
    XDG_RUNTIME_DIR: runtime,
    XDG_CONFIG_HOME: config,
  } = environment;
  // Without XDG_RUNTIME_DIR, as in cron, podman reads the folder that a session of the user has.
  const session = user === ROOT ? '/run/containers/0' : `/run/user/${user}/containers`;
  const written = join(runtime ? join(runtime, 'containers') : session, 'auth.json');
  const remedy = 'remove it and run podman login again';
  return [
    ...(named ? [{ path: named, remedy: 'set REGISTRY_AUTH_FILE to another file' }] : []),
    {
      path: join(docker || join(homedir(), '.docker'), 'config.json'),
      remedy: 'point DOCKER_CONFIG at another folder',
    },
    // After sudo and su, XDG_RUNTIME_DIR can still be that of the other user.
    ...(named ? [] : [{ path: written, remedy, mayBeOthers: true }]),
    { path: join(config || join(homedir(), '.config'), 'containers/auth.json'), remedy },
  ];
}

/**
 * Returns the file that `REGISTRY_AUTH_FILE` names, if it does not exist. The files of Docker and others are read all the
 * same.
 */
export function absentLoginFile({ REGISTRY_AUTH_FILE: named }: NodeJS.ProcessEnv): string | undefined {
  return named && !existsSync(named) ? named : undefined;
}
