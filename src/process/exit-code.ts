import type { Fault } from '../lib/failure.ts';

/** The exit codes of commands. */
export const EXIT = {
  success: 0,
  /** Some images failed or are left for the next run, or the run could not continue. */
  failure: 1,
  /** Flags or a configuration file are wrong. Nothing was done. */
  usage: 2,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The signals that stop a process gracefully. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** How a command ended: `complete`, `incomplete`, or with an error: then whose fault it was. */
export type Ending = 'complete' | 'incomplete' | Fault;

const CODES: Readonly<Record<Ending | StopSignal, ExitCode>> = {
  complete: EXIT.success,
  incomplete: EXIT.failure,
  usage: EXIT.usage,
  world: EXIT.failure,
  program: EXIT.failure,
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
};

/** Returns the exit code. A signal that stopped the process takes precedence. */
export function exitCodeFor(ending: Ending, stoppedBy?: StopSignal): ExitCode {
  return CODES[stoppedBy ?? ending];
}

/** The table of exit codes in help and README. */
export const EXIT_CODES: readonly { readonly codes: string; readonly meaning: string }[] = [
  { codes: '0', meaning: 'Success' },
  { codes: '1', meaning: 'An image failed or is left for the next run, or the run could not continue' },
  { codes: '2', meaning: 'A flag or a configuration file is invalid; nothing was done' },
  { codes: '130, 143', meaning: 'Stopped by Ctrl-C or a termination signal; the state is saved' },
];

/** Returns the table of a command that keeps no state. `failure` is the meaning of exit code 1. */
export function exitCodesWith(failure: string): typeof EXIT_CODES {
  return [
    { codes: '0', meaning: 'Success' },
    { codes: '1', meaning: failure },
    { codes: '2', meaning: 'A flag or a file given to the command is invalid; nothing was done' },
    { codes: '130, 143', meaning: 'Stopped by Ctrl-C or a termination signal' },
  ];
}

/** The table of packer's exit codes. */
export const PACKER_EXIT_CODES: typeof EXIT_CODES = [
  { codes: '0', meaning: 'Success' },
  { codes: '1', meaning: 'No package was made, or it could not be published to every target' },
  { codes: '2', meaning: 'A flag or a configuration file is invalid; nothing was done' },
  { codes: '130, 143', meaning: 'Stopped by Ctrl-C or a termination signal; fetched files are kept' },
];
