import type { z } from 'zod';
import { Failure } from '../../lib/failure.ts';

/** Returns a service's answer, parsed by its shape. Throws `ANSWER_MALFORMED`, which names the service. */
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
    message: 'the response has an unexpected format',
    hint: 'check whether a proxy or a sign-in page of the network answers instead',
    cause: read.error,
    // An overloaded proxy may answer with a page of its own for a moment.
    transient: true,
  });
}
