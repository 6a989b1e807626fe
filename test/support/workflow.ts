import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const Scalars = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const Step = z.object({
  name: z.string(),
  id: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: Scalars.optional(),
});
const Workflow = z.object({ jobs: z.record(z.string(), z.object({ steps: z.array(Step) })) });

export type WorkflowStep = z.infer<typeof Step>;

/** Returns the steps of a workflow's job. */
export function stepsOf(file: string, job: string): readonly WorkflowStep[] {
  const steps = Workflow.parse(parse(readFileSync(file, 'utf8'))).jobs[job]?.steps;
  if (steps === undefined) throw new Error(`${file} has no job ${job}`);
  return steps;
}

/**
 * Fills in the expressions of a text: names of contexts, and `a || b` of a name and a literal. A name without a value is
 * empty, as on a runner; one that `context` does not have at all is a mistake.
 */
export function fillIn(
  text: string | number | boolean,
  context: Readonly<Record<string, string | undefined>>,
): string {
  return String(text).replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
    for (const term of expression.split(/\s*\|\|\s*/)) {
      const value = termValue(term, context);
      if (value !== '') return value;
    }
    return '';
  });
}

function termValue(term: string, context: Readonly<Record<string, string | undefined>>): string {
  const literal = /^'(.*)'$|^(true|false|\d+)$/.exec(term);
  if (literal !== null) return literal[1] ?? literal[2] ?? '';
  if (!(term in context)) throw new Error(`the test gives no ${term}`);
  return context[term] ?? '';
}
