import { HttpFailure } from '../lib/http/http-failure.ts';
import type { Host } from './oci/reference.ts';
import type { RegistryFailure } from './registry-failure.ts';

/** Returns the refusal of a request that was sent without a login, with how to give one. */
export function anonymousRefusal(failure: RegistryFailure, host: Host): RegistryFailure {
  const { code, about, message, cause, status, transient, retryAt } = failure;
  if (code !== 'UNAUTHORIZED' && code !== 'DENIED') return failure;
  // Docker Hub and others answer so for what does not exist too.
  const hint = `there is no login for it: if the name is right, run "docker login ${host}", or give it in KEEL_REGISTRY_LOGINS, in a workflow in registry-logins`;
  return new HttpFailure({ code, about, message, hint, cause, status, transient, retryAt });
}
