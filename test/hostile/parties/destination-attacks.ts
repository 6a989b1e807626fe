import type { Fault } from '../../support/registry/faults.ts';
import type { RequestKind } from '../../support/registry/route.ts';
import { NOT_INWARD, type Promised } from './promise.ts';
import type { Ending } from './source-attack.ts';
import { METADATA, type Strangers } from './stage.ts';

export interface DestinationAttack extends Promised {
  /** What a hostile destination does. */
  readonly tries: string;
  /** How it answers requests about a repository, each time. */
  readonly answers: readonly {
    readonly to: RequestKind | readonly RequestKind[];
    readonly fault: (strangers: Strangers) => Fault;
  }[];
  /** The same in two rows: their images have the same layers. The second one is copied after the first. */
  readonly seed?: string;
  readonly ends: Ending;
}

const PROVED = {
  page: 'security.md',
  says: 'A tag is written only after everything below it was confirmed to be there.',
} as const;
const BELIEVED = {
  page: 'security.md',
  says: 'to keep what it says it has',
} as const;
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (): Fault => {
    return { kind: 'status', status: code, headers };
  };
const location =
  (to: (strangers: Strangers) => string, code: number) =>
  (strangers: Strangers): Fault => {
    return { kind: 'status', status: code, headers: { location: to(strangers) } };
  };

export const DESTINATION_ATTACKS: readonly DestinationAttack[] = [
  {
    tries: 'to say that it has a layer when its upload begins',
    ...PROVED,
    answers: [{ to: ['mount', 'upload-start'], fault: status(201, { location: '/v2/x' }) }],
    ends: { failed: 'REGISTRY_REFUSED' },
  },
  {
    tries: 'to say that it has each layer',
    ...PROVED,
    seed: 'shared',
    answers: [{ to: 'blob-head', fault: status(200, { 'content-length': '1023' }) }],
    ends: { copied: 'genuine' },
  },
  {
    tries: 'to say that it mounted a layer, and mount none',
    ...PROVED,
    seed: 'shared',
    answers: [{ to: 'mount', fault: status(201, { location: '/v2/mounted' }) }],
    ends: { copied: 'genuine' },
  },
  {
    tries: 'to take each layer, and keep none',
    ...PROVED,
    answers: [{ to: ['upload-put', 'upload-patch'], fault: status(201) }],
    ends: { failed: 'CONTENT_UNKNOWN' },
  },
  {
    tries: 'to take all, and keep nothing',
    ...BELIEVED,
    answers: [{ to: ['upload-put', 'upload-patch', 'manifest-put'], fault: status(201) }],
    ends: { copied: 'nothing' },
  },
  {
    tries: 'to take a manifest, and call it by another digest',
    ...BELIEVED,
    answers: [
      {
        to: 'manifest-put',
        fault: status(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }),
      },
    ],
    ends: { failed: 'DIGEST_MISMATCH' },
  },
  {
    tries: 'an address for uploads at what a cloud tells its machines',
    ...NOT_INWARD,
    answers: [{ to: ['mount', 'upload-start'], fault: location(() => METADATA, 202) }],
    ends: { failed: 'REDIRECT_REFUSED' },
  },
  {
    tries: 'an address for uploads over plain HTTP',
    ...NOT_INWARD,
    answers: [{ to: ['mount', 'upload-start'], fault: location(({ plain }) => `${plain.url}/stolen`, 202) }],
    ends: { failed: 'REDIRECT_REFUSED' },
  },
  {
    tries: 'an address for uploads at another host',
    page: 'security.md',
    says: 'the request with what it writes, without login, token and cookies',
    answers: [
      { to: ['mount', 'upload-start'], fault: location(({ elsewhere }) => `${elsewhere.url}/upload`, 202) },
    ],
    ends: { failed: 'REGISTRY_BROKEN' },
  },
  {
    tries: 'a redirect of a manifest that is pushed, to plain HTTP',
    ...NOT_INWARD,
    answers: [{ to: 'manifest-put', fault: location(({ plain }) => `${plain.url}/stolen`, 307) }],
    ends: { failed: 'REDIRECT_REFUSED' },
  },
  {
    tries: 'a realm at another host, over plain HTTP',
    page: 'security.md',
    says: 'a realm at another host, over plain HTTP | nothing: `REDIRECT_REFUSED`',
    answers: [
      {
        to: 'manifest-put',
        fault: ({ plain }) => ({
          kind: 'status',
          status: 401,
          headers: { 'www-authenticate': `Bearer realm="${plain.url}/token",service="x"` },
        }),
      },
    ],
    ends: { failed: 'REDIRECT_REFUSED' },
  },
];
