import type { MeasuredCase, Results } from './results.ts';
import { median, type Sample } from './sample.ts';

/** Above this part of the machine, what others did decides what was measured. */
const BUSY_FROM = 0.1;

/** Returns the part of the machine's time that others used while a sample was taken, from 0 to 1. */
export function noiseOf({ otherCpuSeconds, seconds }: Sample, cores: number): number {
  return otherCpuSeconds / (seconds * cores);
}

/** Returns the median part of the machine's time that others used during a case. */
export function noiseOfCase(measured: MeasuredCase, cores: number): number {
  return median(
    Object.values(measured.samples)
      .flat()
      .map((sample) => noiseOf(sample, cores)),
  );
}

/** Says in words whether the times of a run are to be relied on. */
export function describeNoise({ cases, machine }: Results): string {
  const busy = cases.filter((each) => noiseOfCase(each, machine.cores) >= BUSY_FROM);
  if (busy.length === 0) {
    return 'The machine did nothing else to speak of.';
  }
  const which =
    busy.length === cases.length
      ? 'all cases'
      : `${busy.length} of ${cases.length} cases (${busy.map(({ id }) => id).join(', ')})`;
  return (
    `The machine was busy with other work during ${which}: their times and ratios of times are not to be relied on. ` +
    'CPU times are too high, as cores and caches were shared; requests, connections and bytes are what they are.'
  );
}
