import type { MeasuredCase } from './results.ts';

/** Requests to each end. */
export interface Requests {
  readonly source: number;
  readonly destination: number;
}

/** What decides how many requests a run of synctl needs. */
export interface Work {
  /** Repositories that are looked at. */
  readonly repositories: number;
  /** Tags that are asked for at the destination. */
  readonly checked: number;
  /** Tags that are asked for at the source, as its listing does not tell their digests. */
  readonly asked: number;
  /** Manifests and indexes that are copied, each once a repository. */
  readonly manifests: number;
  /** Blobs whose bytes are copied. */
  readonly blobs: number;
  /** Blobs of the copied images, each once a repository that wants it. */
  readonly placements: number;
}

/** Returns the requests of a run without logins, redirects and retries, into repositories that hold it all or nothing. */
export function requestsOf(work: Work): Requests {
  const { repositories, checked, asked, manifests, blobs, placements } = work;
  const everyRun = 1 + repositories;
  return {
    source: everyRun + asked + manifests + blobs,
    destination: everyRun + checked + manifests + placements + blobs,
  };
}

/** Returns the requests that a contender's run of a case should take; undefined where the model says nothing of it. */
export function expectedRequests({ id, facts }: MeasuredCase, contender: string): Requests | undefined {
  const of = (name: string): number => facts[name] ?? 0;
  const nothing = {
    repositories: of('repositories'),
    checked: 0,
    asked: 0,
    manifests: 0,
    blobs: 0,
    placements: 0,
  };
  if (id.startsWith('cold-') && contender === 'keel') {
    const placements = of('placements');
    return requestsOf({ ...nothing, manifests: of('manifests'), blobs: of('blobs'), placements });
  }
  if (contender === 'keel --verify none') return requestsOf(nothing);
  const asksAll = id === 'unchanged' || id.endsWith('-blind');
  if (asksAll && contender === 'keel')
    return requestsOf({ ...nothing, checked: of('tags'), asked: of('tags') });
  return undefined;
}
