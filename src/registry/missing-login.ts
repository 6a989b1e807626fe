import { HttpFailure } from '../lib/http/http-failure.ts';
import type { Host } from './oci/reference.ts';
import type { RegistryFailure } from './registry-failure.ts';

/** Returns the refusal of a request that was sent without a login, with how to give one. */
export function anonymousRefusal(failure: RegistryFailure, host: Host): RegistryFailure {
  if (failure.code !== 'UNAUTHORIZED' && failure.code !== 'DENIED') return failure;
  // Docker Hub and others answer so for what does not exist too.
  const hint = `there is no login for it: if the name is right, run "docker login ${host}" or "podman login ${host}", or give it in KEEL_REGISTRY_LOGINS, in a workflow in registry-logins`;
  return advised(failure, hint);
}

/** A request, of a registry, that another host answered. */
interface StrangeRequest {
  /** The first address of the request. Where the registry gave it, such as that of an upload, it is at any host. */
  readonly asked: URL;
  readonly isUpload: boolean;
  readonly registry: URL;
  readonly stranger: URL;
}

/** Returns the refusal of a host that got no login, because it is not the registry's own, with who led there. */
export function strangerRefusal(failure: RegistryFailure, request: StrangeRequest): RegistryFailure {
  if (failure.code !== 'UNAUTHORIZED') return failure;
  const { registry, stranger } = request;
  const hint = `${leadTo(request)} ${stranger.host}, which gets no login: let the external URL of the registry, or the host headers of a proxy in front of it, say ${registry.host}`;
  return advised(failure, hint);
}

function leadTo({ asked, isUpload, registry }: StrangeRequest): string {
  if (asked.origin === registry.origin) return 'the registry redirects to';
  return isUpload ? 'the address of the upload is at' : 'the address that the registry gave is at';
}

function advised(failure: RegistryFailure, hint: string): RegistryFailure {
  const { code, about, message, cause, status, request, transient, retryAt } = failure;
  return new HttpFailure({ code, about, message, hint, cause, status, request, transient, retryAt });
}
