import { Failure } from '../lib/failure.ts';
import type { Asked } from './makers.ts';
import { NothingThere, WrongAnswer } from './wrong-answer.ts';

/** One way to an answer. */
export interface Source<Answer> {
  /** What is asked for, for people: `kubeadm's constants at kubernetes v1.38.0`. */
  readonly name: string;
  /** Who is asked, for people, where the answer does not say so itself. */
  readonly by?: string | undefined;
  /** Returns undefined if there is no answer, and no other source has one. Throws `Failure` or `WrongAnswer`. */
  readonly ask: () => Promise<Answer | undefined>;
  /** Whether it is worth asking after what the sources before it answered; it is by default. */
  readonly isFor?: ((errors: readonly unknown[]) => boolean) | undefined;
}

/** Returns why a source was asked in vain, as a sentence. Throws errors of the program. */
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
