import { Failure } from '../lib/failure.ts';
import type { Asked } from './makers.ts';
import { NothingThere, WrongAnswer } from './wrong-answer.ts';

/** One source of an answer. */
export interface Source<Answer> {
  /** What is requested, for people: `kubeadm's constants at kubernetes v1.38.0`. */
  readonly name: string;
  /** Which host is asked, for people, if the answer does not contain it. */
  readonly by?: string | undefined;
  /** Returns undefined if neither this source nor another one has an answer. Throws `Failure` or `WrongAnswer`. */
  readonly ask: () => Promise<Answer | undefined>;
  /** Returns whether to ask this source, given the errors of the sources before it. By default it is always asked. */
  readonly isFor?: ((errors: readonly unknown[]) => boolean) | undefined;
}

/** Returns why a source has no answer, as a sentence. Throws errors of the program. */
function troubleOf(name: string, error: unknown): string {
  if (error instanceof WrongAnswer) return `${name}: ${error.message}`;
  if (error instanceof Failure) return `${name}: ${error.about}: ${error.message}`;
  throw error;
}

/** Asks sources one after the other, until one has an answer. Throws the signal's reason. */
export async function askInTurn<Answer>(
  sources: readonly Source<Answer>[],
  signal: AbortSignal,
): Promise<Asked<Answer>> {
  const errors: unknown[] = [];
  const troubles: string[] = [];
  for (const { name, by, ask, isFor } of sources) {
    if (isFor?.(errors) === false) continue;
    try {
      const found = await ask();
      return found === undefined ? { found, troubles: [] } : { found, by, troubles };
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error);
      troubles.push(troubleOf(name, error));
    }
  }
  const isAbsent = errors.every((error) => error instanceof NothingThere);
  return { found: undefined, troubles, ...(isAbsent ? { isAbsent } : {}) };
}
