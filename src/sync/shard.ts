import { createHash } from 'node:crypto';
import { Failure } from '../lib/failure.ts';
import type { Repository } from '../registry/oci/reference.ts';

/** One of several runs that share the work. */
export interface Shard {
  /** Which one, from 1. */
  readonly index: number;
  readonly count: number;
}

const SHARD = /^(\d{1,4})\/(\d{1,4})$/;
/** The most jobs a workflow matrix can have. https://docs.github.com/en/actions/reference/limits */
export const SHARD_LIMIT = 256;

/** Returns the shard that `i/n` names, such as `2/8`, for the flag or input `about`. Throws `SHARD_MALFORMED`. */
export function parseShard(text: string, about: string): Shard {
  const parts = SHARD.exec(text.trim());
  const index = Number(parts?.[1]);
  const count = Number(parts?.[2]);
  if (parts !== null && index >= 1 && index <= count && count <= SHARD_LIMIT) return { index, count };
  throw new Failure({
    code: 'SHARD_MALFORMED',
    fault: 'usage',
    about,
    message: `"${text}" is not a shard`,
    hint:
      index === 0
        ? 'shards count from 1: the first of four is 1/4, the last is 4/4'
        : `write i/n with i from 1 to n and n up to ${SHARD_LIMIT}, such as 2/8`,
  });
}

function weight(index: number, repository: Repository): Buffer {
  return createHash('sha256').update(`${index}/${repository}`).digest();
}

/**
 * Returns the shard, from 1 to `count`, that a repository at the destination belongs to: the one with the highest hash
 * (rendezvous hashing). Adding a shard moves only that shard's own part.
 */
function shardOf(repository: Repository, count: number): number {
  let best = 1;
  let highest = weight(1, repository);
  for (let index = 2; index <= count; index += 1) {
    const candidate = weight(index, repository);
    if (Buffer.compare(candidate, highest) > 0) {
      best = index;
      highest = candidate;
    }
  }
  return best;
}

/** Returns whether a repository at the destination belongs to a shard. Without shards, every repository does. */
export function inShard(shard: Shard | undefined, repository: Repository): boolean {
  return shard === undefined || shardOf(repository, shard.count) === shard.index;
}
