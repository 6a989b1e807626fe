import type { Fault } from '../lib/failure.ts';

/** What a command's exit code says. */
export const EXIT = {
  success: 0,
  /** Some images failed or are left for the next run, or the run could not go on. */
  failure: 1,
  /** Flags or a configuration file are wrong: nothing was done. */
  usage: 2,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The signals that wind up what a process does. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** How what a process did ended: as it was asked to, not in all of it, or with an error, by whose fault it was. */
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

/** Returns the code to exit with. A signal that stopped the process counts more than how it ended. */
export function exitCodeFor(ending: Ending, stoppedBy?: StopSignal): ExitCode {
  return CODES[stoppedBy ?? ending];
}

/** The table of exit codes that help and README show. */
export const EXIT_CODES: readonly { readonly codes: string; readonly meaning: string }[] = [
  { codes: '0', meaning: 'All is well' },
  { codes: '1', meaning: 'Some images failed or are left for the next run, or the run could not go on' },
  { codes: '2', meaning: 'A flag or a configuration file is wrong; nothing was done' },
  { codes: '130, 143', meaning: 'Stopped by Ctrl-C or by a termination signal; the state is saved' },
];

/** Returns the table of a command that fails in its own way, and keeps no state. */
export function exitCodesWith(failure: string): typeof EXIT_CODES {
  return [
    { codes: '0', meaning: 'All is well' },
    { codes: '1', meaning: failure },
    { codes: '2', meaning: 'A flag or a file that is named is wrong; nothing was done' },
    { codes: '130, 143', meaning: 'Stopped by Ctrl-C or by a termination signal' },
  ];
}

/** The same for packer. */
export const PACKER_EXIT_CODES: typeof EXIT_CODES = [
  { codes: '0', meaning: 'All is well' },
  { codes: '1', meaning: 'There is no package, or it could not be published everywhere' },
  { codes: '2', meaning: 'A flag or a configuration file is wrong; nothing was done' },
  { codes: '130, 143', meaning: 'Stopped by Ctrl-C or by a termination signal; what was fetched is kept' },
];
