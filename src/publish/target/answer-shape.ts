import type { z } from 'zod';
import { Failure, failureCode } from '../../lib/failure.ts';

/** Returns whether an answer was not what it should be, as a proxy gives it that has trouble for a moment. */
export function isMalformed(error: unknown): boolean {
  return failureCode(error) === 'ANSWER_MALFORMED';
}

/** Returns an answer of a service as what it should be. Throws `ANSWER_MALFORMED`, naming the service. */
export function understand<Shape extends z.ZodType>(
  shape: Shape,
  answer: unknown,
  service: string,
): z.infer<Shape> {
  const read = shape.safeParse(answer);
  if (read.success) return read.data;
  throw new Failure({
    code: 'ANSWER_MALFORMED',
    about: service,
    message: 'it answered with something else than it should',
    hint: 'see whether a proxy or a sign-in page of the network stands between',
    cause: read.error,
  });
}
