import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { absentLoginFile, loginFiles } from '../../src/registry/auth/login-files.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

function paths(environment: NodeJS.ProcessEnv, user?: number): string[] {
  vi.stubEnv('HOME', '/home/me');
  try {
    return loginFiles(environment, user).map(({ path }) => path);
  } finally {
    vi.unstubAllEnvs();
  }
}

describe('the files that have logins', () => {
  it("are Docker's, then those of podman, skopeo and buildah", () => {
    const [docker, , podman] = paths({}, 7);
    expect([docker, podman]).toEqual([
      '/home/me/.docker/config.json',
      '/home/me/.config/containers/auth.json',
    ]);
    expect(paths({}, 7)[1]).toBe('/run/user/7/containers/auth.json');
    expect(paths({}, 0)[1]).toBe('/run/containers/0/auth.json');
    expect(paths({})).toEqual(paths({}, process.getuid?.()));
  });

  it('are where the environment says', () => {
    const environment = {
      DOCKER_CONFIG: '/etc/docker',
      XDG_RUNTIME_DIR: '/run/user/7',
      XDG_CONFIG_HOME: '/etc/me',
    };
    const expected = [
      '/etc/docker/config.json',
      '/run/user/7/containers/auth.json',
      '/etc/me/containers/auth.json',
    ];
    expect(paths(environment)).toEqual(expected);
    expect(paths({ ...environment, REGISTRY_AUTH_FILE: '' })).toEqual(expected);
  });

  it('begin with the one that is named, in place of the one that podman login writes', () => {
    expect(paths({ REGISTRY_AUTH_FILE: '/tmp/auth.json', XDG_RUNTIME_DIR: '/run/user/7' })).toEqual([
      '/tmp/auth.json',
      '/home/me/.docker/config.json',
      '/home/me/.config/containers/auth.json',
    ]);
  });

  it('are told where the one that is named does not exist', () => {
    const folder = scratchFolder();
    const [there, absent] = ['there.json', 'absent.json'].map((name) => join(folder, name));
    writeFileSync(there ?? '', '{}');
    expect(
      [absent, there, '', undefined].map((named) => absentLoginFile({ REGISTRY_AUTH_FILE: named })),
    ).toEqual([absent, undefined, undefined, undefined]);
  });
});
