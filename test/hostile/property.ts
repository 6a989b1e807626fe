import fc from 'fast-check';
import { Failure } from '../../src/lib/failure.ts';

/** How long to look for an input that breaks a property, and with which random numbers. */
export interface Search {
  readonly runs: number;
  /** Returns the same inputs again. */
  readonly seed: number;
  /** After which no further input is tried. */
  readonly milliseconds?: number;
  /** The way to one input, as a failure told it. */
  readonly path?: string;
}

/** What a search came to. */
export interface Finding {
  readonly runs: number;
  readonly seed: number;
  /** The input that breaks the property and how, with the path to it; undefined where none was found. */
  readonly failure: string | undefined;
}

/** Something that holds for all input from outside, whatever it is. */
export interface Property {
  readonly name: string;
  search(search: Search): Promise<Finding>;
}

/** Returns the property that `body` does not throw for any input. */
export function property<Input>(
  name: string,
  inputs: fc.Arbitrary<Input>,
  body: (input: Input) => void | Promise<void>,
): Property {
  const holds = fc.asyncProperty(inputs, async (input) => body(input));
  return {
    name,
    search: async ({ runs, seed, milliseconds, path }) => {
      const details = await fc.check(holds, {
        numRuns: runs,
        seed,
        ...(path === undefined ? {} : { path }),
        ...(milliseconds === undefined
          ? {}
          : { interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false }),
      });
      return { runs: details.numRuns, seed, failure: describe(details) };
    },
  };
}

const SHOWN_INPUT = 2000;

function describe<Input>(details: fc.RunDetails<[Input]>): string | undefined {
  if (!details.failed) return undefined;
  const { errorInstance: error, counterexample, counterexamplePath, seed } = details;
  const told =
    error instanceof Error ? `${error.stack}${error.cause === undefined ? '' : `\n${error.cause}`}` : error;
  const input = fc.stringify(counterexample?.[0]);
  const shown =
    input.length > SHOWN_INPUT ? `${input.slice(0, SHOWN_INPUT)}… (${input.length} characters)` : input;
  return `seed ${seed}, path ${counterexamplePath}\ninput ${shown}\n${told}`;
}

/**
 * Does work on hostile input and returns its result, or undefined where it was refused with a `Failure` of one of the
 * codes. All else that is thrown breaks the property: a crash is no refusal.
 */
export async function unlessRefused<Result>(
  codes: readonly string[],
  work: () => Result | Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (!codes.includes(error.code)) throw new Error(`refused as ${error.code}`, { cause: error });
    if (error.message === '' || error.about === '')
      throw new Error('refused without a word', { cause: error });
    return undefined;
  }
}

/** Throws unless something is so. */
export function require(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new Error(what);
}
