import type { Repository } from '../oci/reference.ts';
import type { Registry } from '../registry.ts';

/** What pushes to one registry have learned about it. */
export interface PushHabits {
  /** How it answers the request to mount a blob from the repository that it is mounted to. */
  selfMount: 'unknown' | 'reliable' | 'unreliable';
  /** Whether it answers this request for repositories that do not exist yet. Some registries refuse it. */
  takesNew: boolean;
  /** Repositories that it did not let us mount from. A token for them is not asked for again. */
  readonly closed: Set<Repository>;
  /** The smallest blob that it refused in one request, in bytes. */
  tooLarge: number;
  /** The size of a chunk in bytes. It shrinks when the registry refuses so many. */
  chunk: number;
}

const MEBIBYTE = 1024 * 1024;
/** The smallest chunk that is tried: what nginx accepts by default. */
export const LEAST_CHUNK_BYTES = MEBIBYTE;
const CHUNK_BYTES = 16 * MEBIBYTE;
/** GHCR refuses larger chunks: https://github.com/oras-project/rust-oci-client/pull/37 */
const CHUNK_BYTES_BY_HOST: ReadonlyMap<string, number> = new Map([['ghcr.io', 4 * MEBIBYTE]]);
const known = new WeakMap<Registry, PushHabits>();

/** Returns the habits of a registry, shared by all pushes to it. */
export function habitsOf(registry: Registry): PushHabits {
  const habits = known.get(registry) ?? {
    selfMount: 'unknown',
    takesNew: true,
    closed: new Set(),
    tooLarge: Number.POSITIVE_INFINITY,
    chunk: CHUNK_BYTES_BY_HOST.get(registry.host) ?? CHUNK_BYTES,
  };
  known.set(registry, habits);
  return habits;
}

/** Returns the size of the chunks to try after one was too large: the next smaller power of two, at least 1 MiB. */
export function smallerChunk(refused: number): number {
  return Math.max(LEAST_CHUNK_BYTES, 2 ** (Math.ceil(Math.log2(refused)) - 1));
}
