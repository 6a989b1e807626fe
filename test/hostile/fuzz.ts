import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { printBundleCosts } from './bundle-cost.ts';
import { PROPERTIES } from './properties.ts';
import type { Finding, Property } from './property.ts';
import { printShapeCosts } from './shape-cost.ts';

/** What a property may use: far more than any input that is tried is worth. */
const HEAP_MEGABYTES = 512;
/** How much longer than its share a property may take before it is taken for one that hangs. */
const GRACE_MILLISECONDS = 60_000;

const orderShape = z.object({
  index: z.number(),
  seed: z.number(),
  milliseconds: z.number(),
  path: z.string().optional(),
});

/** Searches in a thread of its own, so that one that hangs or eats the memory can be ended and told. */
function searchApart(index: number, seed: number, milliseconds: number, path?: string): Promise<Finding> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { index, seed, milliseconds, path },
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
    });
    const end = (finding: Finding): void => {
      clearTimeout(watch);
      resolve(finding);
      worker.terminate().catch(() => undefined);
    };
    const fail = (failure: string): void => end({ runs: 0, seed, failure: `seed ${seed}\n${failure}` });
    const watch = setTimeout(() => fail('it hangs'), milliseconds + GRACE_MILLISECONDS);
    worker.once('message', (finding: Finding) => end(finding));
    worker.once('error', (error) => fail(String(error)));
    worker.once('exit', (code) => fail(`its thread ended with ${code}`));
  });
}

async function searchHere(): Promise<void> {
  const { index, path, ...search } = orderShape.parse(workerData);
  const property = PROPERTIES[index];
  if (property === undefined) throw new Error(`there is no property ${index}`);
  const finding = await property.search({
    runs: Number.MAX_SAFE_INTEGER,
    ...search,
    ...(path === undefined ? {} : { path }),
  });
  parentPort?.postMessage(finding);
}

function line(property: Property, { runs, failure }: Finding): string {
  return `${failure === undefined ? 'holds ' : 'BROKEN'}  ${String(runs).padStart(9)} inputs  ${property.name}`;
}

const USAGE = `Looks for input that breaks a reader, tells what answers of the wrong shape and hostile bundles cost, and ends with 1 where one breaks a limit.
  --seconds N   how long to look in all; 120 unless told
  --only TEXT   look at properties, and at answers of the wrong shape, whose names hold this text
  --seed N      look at the same inputs again
  --path PATH   of a seed, look at the one input that broke a property`;

const optionsShape = z.object({
  seconds: z.coerce.number().positive().max(1_000_000),
  seed: z.coerce.number().int(),
  only: z.string(),
  path: z.string().optional(),
});

function readOptions(): z.infer<typeof optionsShape> | undefined {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '120' },
        seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
        only: { type: 'string', default: '' },
        path: { type: 'string' },
      },
    });
    return optionsShape.parse(values);
  } catch {
    return undefined;
  }
}

/** Looks for inputs that break a property. Ends with 1 when there is one, with 2 when it is not told what to do. */
async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  const { seconds, seed, only, path } = options;
  const chosen = [...PROPERTIES.entries()].filter(([, { name }]) => name.includes(only));
  const share = Math.max(100, (seconds * 1000) / Math.max(1, chosen.length));
  console.log(`${chosen.length} properties, ${Math.round(share)} ms each, seed ${seed}`);
  let inputs = 0;
  const broken: string[] = [];
  for (const [index, property] of chosen) {
    const finding = await searchApart(index, seed, share, path);
    inputs += finding.runs;
    console.log(line(property, finding));
    if (finding.failure !== undefined) broken.push(`\n${property.name}\n${finding.failure}`);
  }
  for (const told of broken) console.error(told);
  console.log(`${inputs} inputs, ${broken.length} properties broken, seed ${seed}`);
  const costs = path === undefined ? [await printBundleCosts(only), await printShapeCosts(only)] : [];
  const isNothing = chosen.length === 0 && costs.every(({ tried }) => tried === 0);
  const isTooMuch = costs.some((cost) => cost.broken > 0);
  if (isNothing || broken.length > 0 || isTooMuch) process.exitCode = 1;
}

await (isMainThread ? main() : searchHere());
