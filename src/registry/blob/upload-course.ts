import { isTransient } from '../../lib/failure.ts';
import { HttpFailure } from '../../lib/http/http-failure.ts';
import type { ByteRange } from '../registry.ts';
import type { PushRequest } from './push-request.ts';

/** A request that failed. */
export interface Setback {
  readonly request: PushRequest;
  /** The status of the answer, if one came. */
  readonly status: number | undefined;
  /** Whether the same request could succeed later. */
  readonly isPassing: boolean;
}

/** The position that a registry reported after 416: none yet, because it was not asked; the same as ours, or another. */
export type Told = 'nothing' | 'the same' | 'another';

/** What is known about an upload when one of its requests fails. */
export interface Standing {
  /** The bytes of the blob, and how many of them were sent. */
  readonly size: number;
  readonly sent: number;
  /** The bytes of a chunk, and the fewest to try. */
  readonly chunk: number;
  readonly leastChunk: number;
  /** Whether the registry has not refused the blob in one request. */
  readonly takesWhole: boolean;
  /** Whether it has not refused chunks of each size. */
  readonly takesChunks: boolean;
  /** Whether it has accepted a chunk of this upload. */
  readonly hasTaken: boolean;
  /** The position of the upload that it reported after 416: that of the chunk, or another. */
  readonly told: Told;
}

/**
 * How a push continues: `again` from where it is, `without` the answer, in a `new` upload, also without asking
 * where one is (`blindly`), `in chunks`, in `smaller` ones, in one request (`whole`); or not at all (`end`),
 * if neither chunks nor one request are taken (`too large`).
 */
export type Course =
  | 'again'
  | 'without'
  | 'new'
  | 'blindly'
  | 'in chunks'
  | 'smaller'
  | 'whole'
  | 'too large'
  | 'end';

/** A course, and whether it uses one of the attempts of the request. The others cannot repeat forever. */
interface NextCourse {
  readonly course: Course;
  readonly counts: boolean;
}

/** For fewer bytes it costs less to send them again than to ask what is there. */
export const WORTH_ASKING_BYTES = 8 * 1024 * 1024;
/** A larger blob whose transfer was cut is sent in chunks from then on. */
const CHUNKED_FROM_BYTES = 64 * 1024 * 1024;
/** If the registry keeps fewer bytes of a chunk, and a smaller share, the upload makes no progress. */
const PROGRESS_BYTES = 1024 * 1024;
const PROGRESS_SHARE = 0.1;
const TOO_LARGE = 413;
const MISPLACED = 416;
const UNKNOWN = 404;
/** Statuses that have nothing to do with the form of an upload. */
const DENIED: ReadonlySet<number | undefined> = new Set([401, 403]);

const AGAIN: NextCourse = { course: 'again', counts: true };
const NEW: NextCourse = { course: 'new', counts: true };
const WITHOUT: NextCourse = { course: 'without', counts: false };
const END: NextCourse = { course: 'end', counts: false };

/** Returns how a push continues after a request failed. */
export function courseAfter(setback: Setback, standing: Standing): NextCourse {
  const { request, isPassing } = setback;
  switch (request) {
    case 'ping':
    case 'open':
      return isPassing ? AGAIN : END;
    case 'mount':
    case 'ask':
    case 'inspect':
      return isPassing ? AGAIN : WITHOUT;
    case 'put':
      return isPassing ? courseAfterCut(standing) : courseAfterPut(setback, standing);
    case 'patch':
      return isPassing ? AGAIN : courseAfterPatch(setback, standing);
    case 'close':
      return isPassing ? AGAIN : courseAfterClose(setback, standing);
  }
}

/** Returns the course if no attempt is left; undefined if the push has failed. */
export function courseAtLast({ request, status }: Setback): Course | undefined {
  // Without an answer the registry is unreachable, so a further request would get no answer either.
  const isOptional = request === 'mount' || request === 'ask' || request === 'inspect';
  return isOptional && status !== undefined ? 'without' : undefined;
}

/**
 * Returns the offset of an upload after a chunk was taken, from the number of bytes in the answer: within the chunk if
 * only a part of it was kept (distribution-spec, "Pushing a blob in chunks"), otherwise at its end. The number of ECR
 * stays where the first chunk ended, which is within no later one.
 */
export function positionAfterChunk({ start, end }: ByteRange, told: number | undefined): number {
  return told !== undefined && told > start && told < end ? told : end;
}

/** Returns whether an upload at `position` after a chunk has advanced too little to continue like this. */
export function isStuck({ start, end }: ByteRange, position: number): boolean {
  return position - start < Math.min(PROGRESS_BYTES, (end - start) * PROGRESS_SHARE);
}

function courseAfterCut({ size, sent, takesChunks }: Standing): NextCourse {
  if (!takesChunks) return NEW;
  if (size > CHUNKED_FROM_BYTES) return { course: 'in chunks', counts: true };
  return sent >= WORTH_ASKING_BYTES ? AGAIN : NEW;
}

function courseAfterPut({ status }: Setback, { takesChunks }: Standing): NextCourse {
  if (status === TOO_LARGE) return takesChunks ? { course: 'in chunks', counts: false } : END;
  return status === UNKNOWN || status === MISPLACED ? NEW : END;
}

function courseAfterPatch({ status }: Setback, standing: Standing): NextCourse {
  const { chunk, leastChunk, takesWhole, hasTaken, told } = standing;
  const whole: NextCourse = { course: takesWhole ? 'whole' : 'too large', counts: false };
  const smaller: NextCourse = { course: 'smaller', counts: false };
  if (status === TOO_LARGE) return chunk > leastChunk ? smaller : END;
  if (status === MISPLACED) {
    if (told === 'nothing') return AGAIN;
    // The position of ECR stays where the first chunk ended: https://github.com/aws/containers-roadmap/issues/2831
    if (told === 'another') return { course: 'blindly', counts: true };
    // GHCR answers this to a chunk that is too large.
    return chunk > leastChunk ? smaller : whole;
  }
  if (status === UNKNOWN && hasTaken) return NEW;
  return DENIED.has(status) ? END : whole;
}

function courseAfterClose({ status }: Setback, { takesWhole }: Standing): NextCourse {
  if (status === TOO_LARGE || DENIED.has(status)) return END;
  return takesWhole ? { course: 'whole', counts: false } : NEW;
}

/** Returns what the failure of a request means for the upload. */
export function setbackOf(request: PushRequest, error: unknown): Setback {
  const status = error instanceof HttpFailure ? error.status : undefined;
  return { request, status, isPassing: isTransient(error) };
}
