import { z } from 'zod';

/** What one run of one tool took. */
export const sampleShape = z.object({
  seconds: z.number(),
  /** User and system time of the tool and its children. */
  cpuSeconds: z.number(),
  /** The largest resident set of any one of its processes, in MiB. */
  memory: z.number(),
  /** CPU seconds of those it talked to, such as `source`, `destination` and `network`. */
  servers: z.record(z.string(), z.number()),
  /** How many of each method. */
  requests: z
    .object({
      source: z.record(z.string(), z.number()),
      destination: z.record(z.string(), z.number()),
    })
    .optional(),
  connections: z.number().optional(),
  /** From the source and to the destination, all that went over the wire. */
  bytesReceived: z.number().optional(),
  bytesSent: z.number().optional(),
  /** Bytes of what was written: an archive, a state. */
  size: z.number().optional(),
  /** CPU seconds that processes which have nothing to do with it used meanwhile. */
  otherCpuSeconds: z.number(),
  /** The load average of the minute before. */
  load: z.number(),
});
export type Sample = z.infer<typeof sampleShape>;

/** Requests of all methods together. */
export function countRequests(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Returns the middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
