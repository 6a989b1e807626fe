import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { failureCode } from '../../lib/failure.ts';
import { unusableFile } from './inspection.ts';

/** Why a state file is not used: an old BoltDB, unreadable, made by a newer or older keel-pkg. */
export type AsideReason = 'bolt' | 'damaged' | 'newer' | 'older';

const EXPLANATIONS: Readonly<Record<AsideReason, string>> = {
  bolt: 'is a BoltDB of an earlier generation of synctl',
  damaged: 'is a damaged state file',
  newer: 'was written by a newer version of synctl',
  older: 'was written by an older version of synctl',
};

/** Tells in words what a file is that cannot be used for the given reason. */
export function explainAside(reason: AsideReason): string {
  return EXPLANATIONS[reason];
}

/**
 * Renames a file to `<file>.<reason>-<UTC time>`, with what SQLite left beside it, and returns the new name.
 * Never overwrites: a name that is taken gets a number. Throws `STATE_UNUSABLE`.
 */
export function setAside(file: string, reason: AsideReason, now: Date): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  try {
    const target = reserveName(`${file}.${reason}-${time}`);
    renameSync(file, target);
    // A journal left behind would be played back into the new file.
    for (const suffix of ['-journal', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, target + suffix);
    }
    return target;
  } catch (error) {
    throw unusableFile(file, 'be set aside', error);
  }
}

/** Creates an empty file of that name, or of that name and a number, so that no one else can take it. */
function reserveName(wanted: string): string {
  for (let attempt = 1; ; attempt += 1) {
    const name = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    try {
      closeSync(openSync(name, 'wx'));
      return name;
    } catch (error) {
      if (failureCode(error) !== 'EEXIST') throw error;
    }
  }
}
