import type { Kodo } from './kodo/kodo.ts';
import type { ReleaseService } from './release-service.ts';
import type { Login } from './token-server.ts';

/** The variables with which packer publishes to these stand-ins, and to a registry with this login. */
export function publishingEnvironment(
  { kodo, releases }: { readonly kodo: Kodo; readonly releases: ReleaseService },
  { username, password }: Login,
): Record<string, string> {
  return {
    KEEL_DOCKERHUB_USERNAME: username,
    KEEL_DOCKERHUB_PASSWORD: password,
    KEEL_ACCESS_KEY: kodo.account.accessKey,
    KEEL_SECRET_KEY: kodo.account.secretKey,
    KEEL_QINIU_ENDPOINT: kodo.url,
    KEEL_GITHUB_TOKEN: releases.token,
    GITHUB_REPOSITORY: releases.repository,
    GITHUB_API_URL: releases.url,
  };
}
