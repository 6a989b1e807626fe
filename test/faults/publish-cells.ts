import type { RequestMatch } from '../support/registry/journal.ts';
import type { Traits } from './causes.ts';
import { imageWorld, kodoWorld, type PublishWorld, releaseWorld } from './publish-world.ts';

/** One kind of request of publishing to one target. */
export interface PublishStep extends Traits {
  readonly name: string;
  readonly match: RequestMatch;
  readonly open: () => Promise<PublishWorld>;
  /** Names of the causes that are tried, where it is not all. */
  readonly causes?: ReadonlySet<string>;
  /** Whether publishing does without an answer. */
  readonly isSpare?: true;
}

const read = { answers: true, sends: false, follows: false };
const write = { answers: true, sends: true, follows: false };
const silentWrite = { answers: false, sends: true, follows: false };
const bare = { answers: false, sends: false, follows: false };

function asked(method: string, path: RegExp): RequestMatch {
  return { path, when: (entry) => entry.method === method };
}

const kodo = () => kodoWorld(1000);
const largeKodo = () => kodoWorld(4 * 1024 * 1024 + 100);
/** A large package costs time, and is there to see that its first part is not sent again. */
const LARGE_CAUSES = new Set(['reset before', 'reset during the request', 'answer lost', '401', '500']);
const UPLOADS = '/objects/[^/]+/uploads';

export const PUBLISH_STEPS: readonly PublishStep[] = [
  { name: 'Kodo: region', match: { path: /^\/v4\/query/ }, open: kodo, ...read },
  { name: 'Kodo: object', match: { path: /^\/stat\// }, open: kodo, ...read },
  { name: 'Kodo: upload start', match: asked('POST', new RegExp(`${UPLOADS}$`)), open: kodo, ...read },
  { name: 'Kodo: part', match: asked('PUT', new RegExp(`${UPLOADS}/`)), open: kodo, ...write },
  {
    name: 'Kodo: second part',
    match: asked('PUT', new RegExp(`${UPLOADS}/[^/]+/2$`)),
    open: largeKodo,
    causes: LARGE_CAUSES,
    ...write,
  },
  { name: 'Kodo: upload end', match: asked('POST', new RegExp(`${UPLOADS}/`)), open: kodo, ...write },
  { name: 'Kodo: domains', match: { path: /^\/v3\/domains/ }, open: kodo, ...read, isSpare: true },
  { name: 'release: by tag', match: asked('GET', /\/tags\//), open: releaseWorld, ...read },
  { name: 'release: drafts', match: asked('GET', /\/releases$/), open: releaseWorld, ...read },
  { name: 'release: draft', match: asked('POST', /^\/repos.*\/releases$/), open: releaseWorld, ...write },
  { name: 'release: assets', match: asked('GET', /\/assets$/), open: releaseWorld, ...read },
  { name: 'release: upload', match: asked('POST', /\/assets$/), open: releaseWorld, ...write },
  { name: 'release: notes', match: asked('PATCH', /./), open: releaseWorld, ...write },
  { name: 'registry: token', match: { kind: 'token' }, open: imageWorld, ...read },
  { name: 'registry: manifest', match: { kind: 'manifest-get' }, open: imageWorld, ...read, follows: true },
  {
    name: 'registry: upload start',
    match: { kind: ['upload-start', 'mount'] },
    open: imageWorld,
    ...bare,
  },
  { name: 'registry: upload', match: { kind: 'upload-put' }, open: imageWorld, ...silentWrite },
  { name: 'registry: manifest push', match: { kind: 'manifest-put' }, open: imageWorld, ...silentWrite },
];
