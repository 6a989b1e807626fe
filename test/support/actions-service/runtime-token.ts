import { z } from 'zod';

/** What a job may do with the caches of one branch. */
export interface CacheScope {
  /** A full ref, such as `refs/heads/main`. */
  readonly branch: string;
  readonly access: 'read' | 'write';
}

const Claims = z.object({ scp: z.string(), ac: z.string() });
const AccessControl = z.array(z.object({ Scope: z.string(), Permission: z.number() }));
const READ = 1;
const WRITE = 2;

/**
 * Returns the token a runner hands to a job: a JWT with the run and job it belongs to and the cache scopes it may use, its
 * own branch first. It is not signed; the toolkit only decodes it, and the stand-in trusts what it issued.
 */
export function issueRuntimeToken(run: string, job: string, scopes: readonly CacheScope[]): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const accessControl = scopes.map(({ branch, access }) => ({
    Scope: branch,
    Permission: access === 'write' ? READ | WRITE : READ,
  }));
  const claims = { scp: `Actions.Results:${run}:${job}`, ac: JSON.stringify(accessControl) };
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.stand-in`;
}

/** Reads the cache scopes of a token from an `Authorization` header; undefined when it is no token of ours. */
export function readCacheScopes(authorization: string | undefined): CacheScope[] | undefined {
  const payload = /^Bearer [^.]+\.([^.]+)\.stand-in$/.exec(authorization ?? '')?.[1];
  if (payload === undefined) return undefined;
  const claims = Claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  return AccessControl.parse(JSON.parse(claims.ac)).map((scope) => ({
    branch: scope.Scope,
    access: (scope.Permission & WRITE) === 0 ? 'read' : 'write',
  }));
}
