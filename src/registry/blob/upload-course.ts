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

/** What a registry said after 416: nothing so far, as it was not asked; the same position, or another. */
export type Told = 'nothing' | 'the same' | 'another';

/** What is known of an upload when a request of it fails. */
export interface Standing {
  /** The bytes of the blob, and how many of them were sent. */
  readonly size: number;
  readonly sent: number;
  /** The bytes of a chunk, and the fewest to try. */
  readonly chunk: number;
  readonly leastChunk: number;
  /** Whether the registry has not refused the blob in one request, and chunks of any size. */
  readonly takesWhole: boolean;
  readonly takesChunks: boolean;
  /** Whether it has taken a chunk of this upload. */
  readonly hasTaken: boolean;
  /** What it said when it was asked, after 416, where the upload stands: the position of the chunk, or another. */
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

/** A course, and whether it takes one of the attempts of the request. The others end by themselves. */
interface NextCourse {
  readonly course: Course;
  readonly counts: boolean;
}

/** For fewer bytes it costs less to send them again than to ask what is there. */
export const WORTH_ASKING_BYTES = 8 * 1024 * 1024;
/** A larger blob whose transfer was cut is sent in chunks from then on. */
const CHUNKED_FROM_BYTES = 64 * 1024 * 1024;
/** A chunk of which fewer bytes and a smaller share are kept brings an upload nowhere. */
const PROGRESS_BYTES = 1024 * 1024;
const PROGRESS_SHARE = 0.1;
const TOO_LARGE = 413;
const MISPLACED = 416;
const UNKNOWN = 404;
/** Statuses that say nothing about the form of an upload. */
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

/** Returns the course in place of an attempt that is not left; undefined if the push has failed. */
export function courseAtLast({ request, status }: Setback): Course | undefined {
  // Without an answer the registry is not there, so a further request would not be answered either.
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

/** Returns whether an upload that stands at `position` after a chunk has come too little further to go on for long. */
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
    // What ECR says stays where the first chunk ended: https://github.com/aws/containers-roadmap/issues/2831
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
