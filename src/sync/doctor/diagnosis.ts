import { describeFailure, Failure, type Fault, failureCode, faultOf } from '../../lib/failure.ts';

/** The result of a check that did not fail. */
export interface Finding {
  /**
   * `partial` means that a run would do only a part of its work; `skipped`, that another check shows why there is no
   * result.
   */
  readonly outcome: 'ok' | 'warning' | 'partial' | 'skipped';
  /** What was found, as a part of a sentence. */
  readonly message: string;
  readonly hint?: string | undefined;
  /** What was not tested, as a part of a sentence. */
  readonly untried?: string | undefined;
}

/** A check, and the names of the checks that must succeed before it. */
export interface Check {
  readonly name: string;
  readonly needs: readonly string[];
  /** Throws the failure that would stop a run. */
  readonly run: () => Promise<Finding>;
}

/** The outcome of a check. */
export interface Diagnosis {
  readonly check: string;
  readonly outcome: Finding['outcome'] | 'failed';
  readonly message: string;
  readonly hint?: string | undefined;
  readonly untried?: string | undefined;
  /** The code of a failure, and what it is about. */
  readonly code?: string | undefined;
  readonly about?: string | undefined;
  /** Whose fault a failure is. */
  readonly fault?: Fault | undefined;
  readonly milliseconds: number;
}

/** Returns a finding without problems. */
export function fine(message: string): Finding {
  return { outcome: 'ok', message };
}

/** Returns a finding of a problem that does not stop a run, and how to solve it. */
export function doubtful(message: string, hint?: string): Finding {
  return { outcome: 'warning', message, hint };
}

/** Returns that a check cannot be made, because of the result of the check `needed`. */
export function withheld(needed: string): Finding {
  return { outcome: 'skipped', message: `needs ${needed}` };
}

/** Returns whether a run would do all of its work: no check failed or is `partial`. */
export function wouldWork(diagnoses: readonly Diagnosis[]): boolean {
  return diagnoses.every(({ outcome }) => outcome !== 'failed' && outcome !== 'partial');
}

/** Returns whether a check failed because of a flag or a file that the user can correct. */
export function isMisused(diagnoses: readonly Diagnosis[]): boolean {
  return diagnoses.some(({ fault }) => fault === 'usage');
}

/**
 * Runs checks one after the other, and returns their outcomes. A check is skipped if one that it needs did not
 * succeed.
 */
export async function diagnose(
  checks: readonly Check[],
  signal: AbortSignal,
  onDiagnosis: (diagnosis: Diagnosis) => void,
): Promise<readonly Diagnosis[]> {
  const diagnoses = new Map<string, Diagnosis>();
  for (const check of checks) {
    const missing = check.needs.find((name) => {
      const outcome = diagnoses.get(name)?.outcome;
      return outcome !== 'ok' && outcome !== 'warning';
    });
    const diagnosis =
      missing === undefined
        ? await carryOut(check, signal)
        : { check: check.name, ...withheld(missing), milliseconds: 0 };
    diagnoses.set(check.name, diagnosis);
    onDiagnosis(diagnosis);
  }
  return [...diagnoses.values()];
}

async function carryOut(check: Check, signal: AbortSignal): Promise<Diagnosis> {
  const began = performance.now();
  const took = (): number => Math.round(performance.now() - began);
  try {
    const finding = await check.run();
    return { check: check.name, ...finding, milliseconds: took() };
  } catch (error) {
    signal.throwIfAborted();
    const hint = error instanceof Failure ? error.hint : undefined;
    const message = error instanceof Failure ? `${error.about}: ${error.message}` : describeFailure(error);
    return {
      check: check.name,
      outcome: 'failed',
      code: failureCode(error),
      about: error instanceof Failure ? error.about : undefined,
      message,
      hint,
      fault: faultOf(error),
      milliseconds: took(),
    };
  }
}
