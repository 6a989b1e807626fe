import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeWith } from './programs.ts';

const PAGE = 'docs/registries.md';

/** Runs what is tried on a real program. Its title stands in the documents once it has passed. */
export type Trial = (title: string, attempt: () => Promise<void>) => void;

/**
 * Describes trials of a real program, and holds its rows in docs/registries.md to those that passed in this run: what
 * nobody tried any more does not stay there, and what is tried is not left out.
 */
export function describeTrials(
  program: string,
  needs: readonly string[],
  trials: (trial: Trial) => void,
): void {
  const programs = [program, ...needs];
  describeWith(programs, program, () => {
    const passed: string[] = [];
    trials((title, attempt) =>
      it(title, async () => {
        await attempt();
        passed.push(title);
      }),
    );
    it(`has these trials as its rows in ${PAGE}`, () => {
      expect(listedTrials(program)).toEqual(passed.toSorted());
    });
  });
}

/** Returns what the rows of a program say, in alphabetical order. */
function listedTrials(program: string): readonly string[] {
  const rows = [...readFileSync(PAGE, 'utf8').matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)];
  return rows
    .flatMap(([, name = '', title = '']) => (name.split(' ')[0] === program ? [title] : []))
    .toSorted();
}
