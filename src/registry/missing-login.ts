import { HttpFailure } from '../lib/http/http-failure.ts';
import { joinWords } from '../lib/text/sentence.ts';
import type { KnownLogin } from './auth/credentials.ts';
import type { Host } from './oci/reference.ts';
import type { RegistryFailure } from './registry-failure.ts';

/** The absence of a login for a request, and what exists instead. */
export interface LoginAbsence {
  readonly host: Host;
  /** The logins for paths of the host. The request is below none of them. */
  readonly ofPaths: readonly KnownLogin[];
  /** The file that `REGISTRY_AUTH_FILE` names, if it does not exist. */
  readonly absentFile: string | undefined;
}

/** Returns the refusal of a request that was sent without a login, with advice how to log in. */
export function anonymousRefusal<Code extends string>(
  failure: HttpFailure<Code>,
  absence: LoginAbsence,
): HttpFailure<Code> {
  if (failure.code !== 'UNAUTHORIZED' && failure.code !== 'DENIED') return failure;
  // Docker Hub and others answer so for what does not exist too.
  const hint = `there is no login for it${instead(absence)}: if the name is right, ${howToLogIn(absence.host)}`;
  return failure.with({ hint });
}

/** Returns how to log in at any host, as a part of a sentence. */
export function howToLogIn(host: Host): string {
  return `run "docker login ${host}" or "podman login ${host}", or give it in KEEL_REGISTRY_LOGINS, in a workflow in registry-logins`;
}

const AS_DESTINATION =
  'give --username and KEEL_PASSWORD, in a workflow username and password, or log in with docker login or podman login';

/**
 * Returns the failure of a destination that requires a login if there is none. `hint` is how to log in; the default is
 * for sync.
 */
export function missingLogin(absence: LoginAbsence, hint = AS_DESTINATION): RegistryFailure {
  return new HttpFailure({
    code: 'UNAUTHORIZED',
    about: absence.host,
    message: `there is no login for this registry${instead(absence)}`,
    hint,
  });
}

const PATHS_NAMED = 3;

function instead({ host, ofPaths, absentFile }: LoginAbsence): string {
  const [first] = ofPaths;
  const places = ofPaths.slice(0, PATHS_NAMED).map(({ path }) => `${host}/${path}`);
  const more = ofPaths.length - places.length;
  const names = joinWords(more > 0 ? [...places, `${more} more`] : places);
  const from = first?.origin === undefined ? '' : ` in ${first.origin}`;
  const stored =
    ofPaths.length === 1
      ? `the stored login${from} is only for ${names}`
      : `the stored logins are only for ${names}`;
  return [
    ...(first === undefined ? [] : [`, because ${stored}`]),
    ...(absentFile === undefined
      ? []
      : [`, and ${absentFile}, which REGISTRY_AUTH_FILE names, does not exist`]),
  ].join('');
}

/** A request to a registry that another host answered. */
interface StrangeRequest {
  /** The first address of the request. If the registry sent it, like that of an upload, it can be at any host. */
  readonly asked: URL;
  readonly isUpload: boolean;
  readonly registry: URL;
  readonly stranger: URL;
}

/** Returns the refusal of a host that got no login because it is not the registry's own, with what led there. */
export function strangerRefusal(failure: RegistryFailure, request: StrangeRequest): RegistryFailure {
  if (failure.code !== 'UNAUTHORIZED') return failure;
  const { registry, stranger } = request;
  const hint = `${leadTo(request)} ${stranger.host}, which gets no login: set the external URL of the registry, or the host headers of a proxy in front of it, to ${registry.host}`;
  return failure.with({ hint });
}

function leadTo({ asked, isUpload, registry }: StrangeRequest): string {
  if (asked.origin === registry.origin) return 'the registry redirects to';
  return isUpload ? 'the address of the upload is at' : 'the address that the registry gave is at';
}
