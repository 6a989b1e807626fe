import { onTestFinished } from 'vitest';
import type { Login } from '../support/token-server.ts';
import { type ProgramCost, programCost } from './program-cost.ts';

const HEAP_MEBIBYTES = 300;

/** Runs a compiled program in a test with a folder as its home, and measures it. */
export async function measured(
  program: 'synctl' | 'packer',
  folder: string,
  line: readonly string[],
  login?: Login,
): Promise<ProgramCost> {
  const finished = new AbortController();
  onTestFinished(() => finished.abort());
  return await programCost(program, line, { folder, login, heap: HEAP_MEBIBYTES, signal: finished.signal });
}
